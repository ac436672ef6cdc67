"""The mpv script: a stock mpv plays NLVC with sound, and seeks by starting the feed again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ffmpeg_filter.tests.builds import Ffmpeg, stock_ffmpeg
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.media_files import PROJECT, words

SCRIPT = PROJECT / "ffmpeg_filter" / "mpv" / "nlvc.lua"
FRAMES = 75  # at 25 frames/s
# Prints every place that is shown; at 0.3 s it jumps to 2 s.
WATCH = """
local jumped = false
mp.observe_property("time-pos", "number", function(_, seconds)
    if not seconds then return end
    print(string.format("at %.3f", seconds))
    if seconds > 0.3 and not jumped then
        jumped = true
        mp.commandv("script-message", "nlvc-seek", "2.0")
    end
end)
"""


@pytest.fixture(scope="module")
def film(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of NLVC with sound, a keyframe every ten frames."""
    folder = tmp_path_factory.mktemp("film")
    clip = write_clip(folder / "clip.mkv", make_clip(64, 48, FRAMES), audio=True)
    ffmpeg.run("-i", clip, *words("-c:v libnlvc -model fast -effort 0 -gop 10 -c:a copy"), folder / "film.mkv")
    return folder / "film.mkv"


def play(film: Path, *scripts: Path) -> str:
    """What mpv says while it plays a file to its end."""
    options = [*words("--no-config --vo=null --ao=null"), *(f"--script={script}" for script in scripts)]
    environment = os.environ | {"NLVC_PYTHON": sys.executable, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        ["mpv", *options, str(film)], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_plays_picture_and_sound(film: Path) -> None:
    text = play(film, SCRIPT)
    assert re.search(r"Video --vid=1 .*rawvideo 64x48", text) and re.search(r"Audio --aid=1 .*flac", text)


def test_seeking_starts_the_feed_again(film: Path, tmp_path: Path) -> None:
    (tmp_path / "watch.lua").write_text(WATCH, encoding="utf-8")
    places = [float(place) for place in re.findall(r"at (\d+\.\d+)", play(film, SCRIPT, tmp_path / "watch.lua"))]
    jump = next(i for i, place in enumerate(places) if place > 1)
    assert places[0] == 0 and places[jump - 1] < 1, "it began at the start"
    assert places[jump] == pytest.approx(2.0, abs=0.05), "frame 50 is a keyframe"
    assert places[-1] > 2.8, "and then to the end"


def test_other_files_are_left_alone(film: Path) -> None:
    stock_ffmpeg("-i", film.with_name("clip.mkv"), *words("-c:v ffv1 -level 3 -c:a copy"), film.with_name("other.mkv"))
    assert re.search(r"Video --vid=1 .*ffv1 64x48", play(film.with_name("other.mkv"), SCRIPT))
