"""Opening and naming containers, with errors that a user can act on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.container

from pynlvc.errors import NlvcError, UsageError

# File name suffix -> FFmpeg's name of the container. NLVC goes into the first group, other codecs into both.
NLVC_CONTAINERS: dict[str, str] = {".mkv": "matroska", ".nut": "nut", ".mov": "mov", ".avi": "avi"}
OTHER_CONTAINERS: dict[str, str] = {".mp4": "mp4", ".webm": "webm", ".y4m": "yuv4mpegpipe"}

# Containers that number the frames instead of timing them: good for constant frame rates only.
WITHOUT_TIMES = frozenset({"avi", "yuv4mpegpipe"})

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
    known = NLVC_CONTAINERS if for_nlvc else NLVC_CONTAINERS | OTHER_CONTAINERS
    try:
        return known[path.suffix.lower()]
    except KeyError:
        what = "NLVC can be stored in" if for_nlvc else "known containers are"
        raise UsageError(f"{path}: {what} {', '.join(known)}") from None


def container_options(container: str) -> dict[str, str]:
    """Options of FFmpeg's writer that keep a file as it was: dispositions as they are."""
    return {"default_mode": "passthrough"} if container == "matroska" else {}


def open_input(path: Path) -> av.container.InputContainer:
    """Opens a file for reading; the error says whether it is missing, a folder, empty, or no media file."""
    try:
        if path.is_dir():
            raise NlvcError(f"{path} is a folder, not a video file")
        if path.is_file() and path.stat().st_size == 0:
            raise NlvcError(f"{path} is empty")
        return av.open(os.fspath(path), "r", metadata_errors="replace")
    except av.error.FileNotFoundError:
        raise NlvcError(f"{path} does not exist") from None
    except av.error.InvalidDataError:
        raise NlvcError(f"{path} is not a media file, or its header is damaged") from None
    except (av.error.FFmpegError, OSError) as error:
        raise NlvcError(f"cannot open {path}: {reason(error)}") from error
