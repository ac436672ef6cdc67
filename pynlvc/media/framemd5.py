"""The MD5 of every frame in the format of FFmpeg's framemd5 muxer, so that files can be compared with FFmpeg's."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from pynlvc import _avshim
from pynlvc.codec import DecoderSettings
from pynlvc.codec.planes import memory_rows
from pynlvc.codec.times import frame_seconds
from pynlvc.errors import NlvcError
from pynlvc.media.source import VideoSource
from pynlvc.version import __version__


def framemd5(path: str | os.PathLike[str], *, settings: DecoderSettings | None = None) -> Iterator[str]:
    """The lines (without line ends) that `ffmpeg -i FILE -map 0:v:0 -f framemd5 -` prints for these frames.

    As there, time is counted in frames at the track's rate, from the start of the file. Unlike there, frames that lie
    closer together than the rate says are never left out.
    """
    with VideoSource(Path(path), settings=settings) as source:
        rate = source.frame_rate or Fraction(25)
        start = Fraction(source.container.start_time or 0, av.time_base)
        next_pts = 0
        for frame in source.frames():
            digest, size = _digest(frame)
            if source.frames_read == 1:
                yield from _header(frame, rate, _avshim.sample_aspect_ratio(source.stream))
            pts = max(next_pts, math.floor((frame_seconds(frame) - start) * rate + Fraction(1, 2)))
            next_pts = pts + 1
            yield f"0, {pts:10d}, {pts:10d}, {1:8d}, {size:8d}, {digest}"
        if not source.frames_read:
            raise NlvcError(f"{path} has a video track without frames")


def _header(frame: av.VideoFrame, rate: Fraction, ratio: tuple[int, int]) -> Iterator[str]:
    yield "#format: frame checksums"
    yield "#version: 2"
    yield "#hash: MD5"
    yield f"#software: pynlvc {__version__}"
    yield f"#tb 0: {rate.denominator}/{rate.numerator}"
    yield "#media_type 0: video"
    yield "#codec_id 0: rawvideo"
    yield f"#dimensions 0: {frame.width}x{frame.height}"
    yield f"#sar 0: {ratio[0]}/{ratio[1]}"
    yield "#stream#, dts,        pts, duration,     size, hash"


def _digest(frame: av.VideoFrame) -> tuple[str, int]:
    """(MD5, bytes) of the planes as they lie in memory, one after another, without what is appended to rows."""
    md5, size = hashlib.md5(usedforsecurity=False), 0
    for rows in memory_rows(frame):
        md5.update(np.ascontiguousarray(rows).data)
        size += rows.nbytes
    return md5.hexdigest(), size
