"""Going through FFmpeg costs nothing: processor time beside the package's own command line."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

from ffmpeg_filter.tests.builds import Ffmpeg
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.media_files import PROJECT, pynlvc_command, words

RUNS = 3  # of which the fastest counts
TOLERANCE = 1.1


def processor_seconds(command: list[str]) -> float:
    """User and system time of the fastest run, with one thread, so that waiting for others does not count."""
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    times = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def test_ffmpeg_is_as_fast_as_the_package(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", make_clip(352, 288, 25))
    program = [str(ffmpeg.folder / "ffmpeg"), *words("-v error -y -threads 1 -i")]
    by_ffmpeg, by_package = tmp_path / "ffmpeg.mkv", tmp_path / "package.mkv"
    encode = processor_seconds([*program, str(clip), *words("-threads 1 -c:v libnlvc"), str(by_ffmpeg)])
    transcode = pynlvc_command("transcode", clip, by_package, *words("--threads 1 --no-verify --force --no-progress"))
    assert encode <= TOLERANCE * processor_seconds(transcode)
    decode = processor_seconds([*program, str(by_ffmpeg), *words("-f framemd5 -")])
    assert decode <= TOLERANCE * processor_seconds(pynlvc_command("framemd5", by_package, "--threads", "1"))
