"""Helpers for the tests of files and the command line: a source that carries everything, probes, and running pynlvc."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from pynlvc import Encoder, EncoderSettings
from pynlvc.media.tracks import add_nlvc_track
from tests.clip_files import write_clip
from tests.clips import make_clip

PROJECT = Path(__file__).resolve().parent.parent

SUBTITLES = """1
00:00:00,050 --> 00:00:00,150
Hello <i>world</i>

2
00:00:00,200 --> 00:00:00,300
Second line
"""

CHAPTERS = """;FFMETADATA1
title=Source title
artist=Some artist
comment=a comment
CUSTOM_TAG=custom value
[CHAPTER]
TIMEBASE=1/1000
START=0
END=160
title=Intro
[CHAPTER]
TIMEBASE=1/1000
START=160
END=400
title=Main
"""


def words(text: str) -> list[str]:
    """A command line's words."""
    return text.split()


def run_tool(*command: str | os.PathLike[str]) -> str:
    """Runs a program that must succeed; its standard output."""
    done = subprocess.run(
        [os.fspath(part) for part in command], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def pynlvc_command(*arguments: str | os.PathLike[str]) -> list[str]:
    """The command line as a user types it."""
    return [sys.executable, "-m", "pynlvc", *(os.fspath(argument) for argument in arguments)]


def run_pynlvc(*arguments: str | os.PathLike[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command line in a process of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        pynlvc_command(*arguments), capture_output=True, text=True, check=False, timeout=120, cwd=cwd, env=environment
    )


def write_rich_source(folder: Path) -> Path:
    """H.264 in Matroska (B-frames, 4:3 samples, BT.709) with two sounds, subtitles, chapters, tags, a font, a cover."""
    video = write_clip(folder / "video.mkv", make_clip(96, 80, 10, seed=11))
    (folder / "text.srt").write_text(SUBTITLES, encoding="utf-8")
    (folder / "chapters.txt").write_text(CHAPTERS, encoding="utf-8")
    (folder / "font.ttf").write_bytes(bytes(range(256)) * 12)
    cover = folder / "cover.png"
    run_tool(*words("ffmpeg -v error -y -f lavfi -i testsrc2=s=64x64:d=0.04 -frames:v 1"), cover)
    target = folder / "source.mkv"
    tone = "sine=f={}:d=0.4:r=48000"
    run_tool(
        *("ffmpeg", "-v", "error", "-y", "-i", video),
        *("-f", "lavfi", "-i", tone.format(440), "-f", "lavfi", "-i", tone.format(880)),
        *("-i", folder / "text.srt", "-i", folder / "chapters.txt"),
        *words("-map 0:v -map 1 -map 2 -map 3 -map_metadata 4 -map_chapters 4"),
        *words("-c:v libx264 -preset veryfast -bf 2 -aspect 8:5 -color_primaries bt709 -color_trc bt709"),
        *words("-colorspace bt709 -color_range tv -chroma_sample_location left"),
        *words("-c:a:0 flac -c:a:1 libopus -c:s srt"),
        *("-metadata:s:v", "language=jpn", "-metadata:s:v", "title=Main video"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:0", "title=First sound", "-metadata:s:a:1", "language=deu"),
        *("-metadata:s:s", "language=fra"),
        *words("-disposition:v default -disposition:a:0 default -disposition:a:1 comment -disposition:s:0 forced"),
        *("-attach", folder / "font.ttf", "-metadata:s:t:0", "mimetype=application/x-truetype-font"),
        *("-attach", cover, "-metadata:s:t:1", "mimetype=image/png"),
        target,
    )
    return target


def write_nlvc(path: Path, frames: Sequence[av.VideoFrame], settings: EncoderSettings) -> Path:
    """Frames as NLVC in Matroska, for formats that no other codec or container holds."""
    first = frames[0]
    like = write_clip(path.with_suffix(".like.mkv"), make_clip(16, 16, 1))
    encoder = Encoder(
        first.width, first.height, first.format.name, time_base=Fraction(1, 25), settings=settings, like=first
    )
    with av.open(str(like)) as template, av.open(str(path), "w") as output:
        size = first.width, first.height
        track = add_nlvc_track(
            output, template.streams.video[0], encoder.extradata, size, time_base=Fraction(1, 25), first=first
        )
        for frame in frames:
            for packet in encoder.encode(frame):
                packet.stream = track
                output.mux(packet)
    like.unlink()
    return path


def probe(path: Path) -> dict[str, Any]:
    """What the stock ffprobe says about a file."""
    entries = words("-show_streams -show_format -show_chapters -of json")
    return dict(json.loads(run_tool("ffprobe", "-v", "error", *entries, path)))


def copied_packets(path: Path, stream: str) -> list[str]:
    """Timestamps and MD5 of a track's packets as the stock ffmpeg copies them: `stream` is for example "0:a:0"."""
    text = run_tool("ffmpeg", "-v", "error", "-i", path, "-map", stream, "-c", "copy", "-f", "framemd5", "-")
    return [line for line in text.splitlines() if not line.startswith("#software")]


def framemd5_lines(text: str) -> list[str]:
    """A framemd5 listing without the line that names the program."""
    return [line for line in text.splitlines() if not line.startswith("#software")]


def folder_names(folder: Path) -> list[str]:
    """Names of all files in a folder, hidden ones included."""
    return sorted(entry.name for entry in folder.iterdir())


def options(model: Path, *more: str) -> Sequence[str]:
    """Options that encode quickly with a small model that travels in the file."""
    return ("--model", str(model), "--embed-model", *more)
