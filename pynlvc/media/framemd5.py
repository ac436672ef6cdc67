"""The MD5 of every frame in the format of FFmpeg's framemd5 muxer, so that files can be compared with FFmpeg's."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import numpy as np

from pynlvc import _avshim
from pynlvc.codec import DecoderSettings
from pynlvc.codec.planes import memory_rows
from pynlvc.codec.times import frame_seconds
from pynlvc.errors import NlvcError
from pynlvc.media.containers import ffmpeg_errors
from pynlvc.media.source import VideoSource
from pynlvc.version import __version__

_FIRST_LINE = "#format: frame checksums"
_ALGORITHMS = {"MD5": "md5", "SHA256": "sha256", "SHA512": "sha512", "SHA160": "sha1"}  # FFmpeg's names: hashlib's


class FrameMd5:
    """Makes the lines that `ffmpeg -i FILE -map 0:v:0 -f framemd5 -` prints, frame by frame, without line ends.

    As there, time is counted in frames at the track's rate, from the start of the file. Unlike there, frames that lie
    closer together than the rate says are never left out.
    """

    def __init__(self, source: VideoSource) -> None:
        self._source = source
        self._rate = source.frame_rate or Fraction(25)
        self._start = Fraction(source.container.start_time or 0, av.time_base)
        self._next_pts = 0
        self._begun = False

    def lines(self, frame: av.VideoFrame) -> Iterator[str]:
        """The line of the next frame, before the first one the header's too."""
        if not self._begun:
            self._begun = True
            yield from _header(frame, self._rate, _avshim.sample_aspect_ratio(self._source.stream))
        digest, size = frame_hash(frame, "MD5")
        pts = max(self._next_pts, math.floor((frame_seconds(frame) - self._start) * self._rate + Fraction(1, 2)))
        self._next_pts = pts + 1
        yield f"0, {pts:10d}, {pts:10d}, {1:8d}, {size:8d}, {digest}"


class FrameMd5Writer:
    """Writes the lines into a file, frame by frame."""

    def __init__(self, path: Path, source: VideoSource) -> None:
        self._path = path
        self._lines = FrameMd5(source)
        with ffmpeg_errors(f"cannot write {path}"):
            self._file = path.open("w", encoding="utf-8")

    def add(self, frame: av.VideoFrame) -> None:
        """The next frame."""
        with ffmpeg_errors(f"cannot write {self._path}"):
            self._file.writelines(f"{line}\n" for line in self._lines.lines(frame))

    def close(self) -> None:
        """Ends the file; more than once does no harm."""
        with ffmpeg_errors(f"cannot write {self._path}"):
            self._file.close()


def framemd5(path: str | os.PathLike[str], *, settings: DecoderSettings | None = None) -> Iterator[str]:
    """The lines (without line ends) of FrameMd5 for a file's main video track."""
    with VideoSource(Path(path), settings=settings) as source:
        lines = FrameMd5(source)
        for frame in source.frames():
            yield from lines.lines(frame)
        if not source.frames_read:
            raise NlvcError(f"{path} has a video track without frames")


def _header(frame: av.VideoFrame, rate: Fraction, ratio: tuple[int, int]) -> Iterator[str]:
    yield _FIRST_LINE
    yield "#version: 2"
    yield "#hash: MD5"
    yield f"#software: pynlvc {__version__}"
    yield f"#tb 0: {rate.denominator}/{rate.numerator}"
    yield "#media_type 0: video"
    yield "#codec_id 0: rawvideo"
    yield f"#dimensions 0: {frame.width}x{frame.height}"
    yield f"#sar 0: {ratio[0]}/{ratio[1]}"
    yield "#stream#, dts,        pts, duration,     size, hash"


def frame_hash(frame: av.VideoFrame, algorithm: str) -> tuple[str, int]:
    """(hash, bytes) of the planes as they lie in memory, one after another, without what is appended to rows.

    `algorithm`: FFmpeg's name.
    """
    found, size = hashlib.new(_ALGORITHMS[algorithm], usedforsecurity=False), 0
    for rows in memory_rows(frame):
        found.update(np.ascontiguousarray(rows).data)
        size += rows.nbytes
    return found.hexdigest(), size


@dataclass(frozen=True)
class FrameHashes:
    """What a file that FFmpeg's framemd5 or framehash muxer wrote says about its first video track."""

    algorithm: str  # FFmpeg's name
    digests: tuple[str, ...]  # by frame

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """None when the file is none of these; NlvcError when it is damaged or of a hash that nobody here knows."""
        if not path.is_file():
            return None
        with ffmpeg_errors(f"cannot read {path}"), path.open("rb") as file:
            if file.read(len(_FIRST_LINE)) != _FIRST_LINE.encode():
                return None
            lines = file.read().decode("utf-8", "replace").splitlines()
        algorithm, track = "", ""
        digests: list[str] = []
        for number, line in enumerate(lines, 1):
            name, _, value = line.removeprefix("#").partition(":")
            if line.startswith("#hash:"):
                algorithm = value.strip()
            elif line.startswith("#media_type") and value.strip() == "video":
                track = track or name.split()[-1]
            elif line and not line.startswith("#"):
                fields = [field.strip() for field in line.split(",")]
                if len(fields) < 6:
                    raise NlvcError(f"{path}, line {number + 1}: this is no line of frame hashes")
                if fields[0] == track:
                    digests.append(fields[5])
        if algorithm not in _ALGORITHMS:
            raise NlvcError(f"{path}: the hash {algorithm or 'without a name'} is unknown here: make it with framemd5")
        if not track:
            raise NlvcError(f"{path} has no hashes of a video track")
        return cls(algorithm, tuple(digests))
