"""Opening and naming containers, with errors that a user can act on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import av.container

from pynlvc.errors import NlvcError, UsageError

# File name suffix -> FFmpeg's name of the container. NLVC goes into the first group, other codecs into both.
NLVC_CONTAINERS: dict[str, str] = {".mkv": "matroska", ".nut": "nut", ".mov": "mov", ".avi": "avi"}
OTHER_CONTAINERS: dict[str, str] = {".mp4": "mp4", ".webm": "webm", ".y4m": "yuv4mpegpipe"}

# Pictures and numbered sequences of them that can be written: suffix -> FFmpeg's name of the codec.
PICTURE_CODECS: dict[str, str] = {".png": "png", ".tif": "tiff", ".tiff": "tiff"}
PICTURES = "image2"  # FFmpeg's name of their container

STANDARD_STREAM = "-"  # in the place of a file name: standard input or output

# Containers that number the frames instead of timing them: good for constant frame rates only.
WITHOUT_TIMES = frozenset({"avi", "yuv4mpegpipe", PICTURES})

# Containers that hold attachments (fonts, cover art) and arbitrary tags.
WITH_ATTACHMENTS = frozenset({"matroska"})


def reason(error: Exception) -> str:
    """FFmpeg's words for what went wrong, without its numbers and file names."""
    return str(getattr(error, "strerror", None) or error)


@contextmanager
def ffmpeg_errors(doing: str) -> Iterator[None]:
    """Turns errors of FFmpeg and of the operating system into NlvcError: "`doing`: reason"."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise NlvcError(f"{doing}: {reason(error)}") from error


def container_format(path: Path, *, for_nlvc: bool) -> str:
    """FFmpeg's container name for an output file; UsageError when the suffix names none that fits."""
    pictures = dict.fromkeys(PICTURE_CODECS, PICTURES)
    known = NLVC_CONTAINERS if for_nlvc else NLVC_CONTAINERS | OTHER_CONTAINERS | pictures
    try:
        return known[path.suffix.lower()]
    except KeyError:
        what = "NLVC can be stored in" if for_nlvc else "known containers are"
        raise UsageError(f"{path}: {what} {', '.join(known)}") from None


def container_options(container: str) -> dict[str, str]:
    """Options of FFmpeg's writer that keep a file as it was: dispositions as they are."""
    return {"default_mode": "passthrough"} if container == "matroska" else {}


def stream_containers() -> dict[str, str]:
    """Containers that can be written to standard output, by suffix."""
    return {suffix: NLVC_CONTAINERS[suffix] for suffix in (".mkv", ".nut")}


def numbered(path: Path) -> re.Pattern[str] | None:
    """What the names of an image sequence look like (`shot_%04d.dpx`); None for other paths."""
    found = re.fullmatch(r"(.*?)%(?:0(\d+))?d(.*)", path.name)
    if found is None or path.exists():
        return None
    digits = rf"\d{{{found[2]},}}" if found[2] else r"\d+"
    return re.compile(f"{re.escape(found[1])}({digits}){re.escape(found[3])}")


def sequence_numbers(path: Path) -> list[int]:
    """The numbers of a sequence's files in ascending order; NlvcError when one between them is missing."""
    pattern = numbered(path)
    assert pattern is not None, "only numbered paths are asked for"
    try:
        names = [pattern.fullmatch(entry.name) for entry in path.parent.iterdir()]
    except OSError as error:
        raise NlvcError(f"cannot read the folder {path.parent}: {reason(error)}") from None
    numbers = sorted(int(name[1]) for name in names if name)
    for earlier, later in pairwise(numbers):
        if later != earlier + 1:
            hole = path.name % (earlier + 1)
            raise NlvcError(
                f"the image sequence {path} has a hole: {hole} is missing, and {later - earlier - 1} in all"
            )
    return numbers


def holds_pictures(container: av.container.Container) -> bool:
    """Whether an open file is a picture or a sequence of them: without times of its own."""
    return container.format.name == PICTURES or container.format.name.endswith("_pipe")


def _open(path: Path, frame_rate: Fraction | None) -> av.container.InputContainer:
    if str(path) == STANDARD_STREAM:
        return av.open("pipe:0", "r", metadata_errors="replace")
    rate = {"framerate": str(frame_rate)} if frame_rate else {}
    if numbered(path) is not None:
        numbers = sequence_numbers(path)
        if not numbers:
            raise NlvcError(f"no file has a name like {path}")
        options = {"start_number": str(numbers[0])} | rate
        return av.open(os.fspath(path), "r", format=PICTURES, options=options, metadata_errors="replace")
    container = av.open(os.fspath(path), "r", options=rate, metadata_errors="replace")
    if frame_rate and not holds_pictures(container):
        container.close()
        raise UsageError(f"{path} has times of its own: a frame rate is for pictures only")
    return container


def open_input(path: Path, *, frame_rate: Fraction | None = None) -> av.container.InputContainer:
    """Opens a file, a numbered sequence of pictures or standard input ("-") for reading.

    `frame_rate`: pictures per second. The error says whether the file is missing, a folder, empty, or no media file.
    """
    try:
        if path.is_dir():
            raise NlvcError(f"{path} is a folder, not a video file")
        if path.is_file() and path.stat().st_size == 0:
            raise NlvcError(f"{path} is empty")
        return _open(path, frame_rate)
    except av.error.FileNotFoundError:
        raise NlvcError(f"{path} does not exist") from None
    except av.error.InvalidDataError:
        raise NlvcError(f"{path} is not a media file, or its header is damaged") from None
    except (av.error.FFmpegError, OSError) as error:
        raise NlvcError(f"cannot open {path}: {reason(error)}") from error
