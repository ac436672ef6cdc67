"""What a file holds, small enough to keep and compare: frames and packets as checksums, and how video is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.stream import Stream

from pynlvc import _avshim
from pynlvc.codec.planes import frame_checksum, memory_checksum
from pynlvc.codec.side_information import (
    FIRST_SIDE_DATA,
    KEPT_KINDS,
    MASTERING,
    UNKNOWN_COLOUR,
    read_aspect_ratio,
    read_colour,
    read_side_information,
)
from pynlvc.codec.times import frame_time
from pynlvc.errors import NlvcError
from pynlvc.media.companions import cover_data
from pynlvc.media.source import VideoSource
from pynlvc.media.tracks import STREAM_SIDE_DATA


@dataclass(frozen=True, kw_only=True)
class Content:
    """A frame, a packet or an attachment."""

    checksum: int  # of the samples or bytes
    unused: int = 0  # of the bits between the samples too
    seconds: Fraction | None = None
    duration_seconds: Fraction = Fraction(0)  # 0: unknown
    pix_fmt: str = ""  # of frames
    size: tuple[int, int] = (0, 0)  # width, height of frames, samples; bytes and 0 of all else
    said: Mapping[int, bytes]  # side information of frames


def _bytes(data: bytes, seconds: Fraction | None = None) -> Content:
    digest = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
    return Content(checksum=digest, seconds=seconds, size=(len(data), 0), said={})


def _frame(frame: av.VideoFrame) -> Content:
    pts, base = frame_time(frame)
    return Content(
        checksum=frame_checksum(frame),
        unused=memory_checksum(frame),
        seconds=pts * base,
        duration_seconds=(frame.duration or 0) * base,
        pix_fmt=frame.format.name,
        size=(frame.width, frame.height),
        said=read_side_information(frame)[0],
    )


def read_contents(source: VideoSource) -> tuple[dict[int, list[Content]], NlvcError | None]:
    """Frames of the decoded tracks and packets of the others, by track; and what stopped the reading, if anything."""
    contents: dict[int, list[Content]] = {stream.index: [] for stream in source.container.streams}
    try:
        for item in source.read():
            if isinstance(item, tuple):
                track, frame = item
                contents[track.stream.index].append(_frame(frame))
            elif not item.is_discard:
                seconds = None if item.pts is None or item.time_base is None else item.pts * item.time_base
                contents[item.stream.index].append(_bytes(bytes(item), seconds))
    except NlvcError as error:
        return contents, error
    return contents, None


def attached(source: VideoSource, stream: Stream, kind: str) -> Content:
    """A cover's picture or an attachment's bytes."""
    return _bytes(cover_data(source, stream) if kind == "cover" else _avshim.extradata(stream))


def presentation(stream: Stream, said: Mapping[int, bytes]) -> dict[str, object]:
    """How a video track is to be shown: the container's word, and where it has none, that of its first frame."""
    colour = _avshim.color(stream)
    spoken = read_colour(said)
    names = ("color_range", "color_primaries", "color_trc", "color_space", "chroma_location")
    shown: dict[str, object] = {
        name: colour[name] if colour[name] != unknown else frame
        for name, unknown, frame in zip(names, UNKNOWN_COLOUR, spoken, strict=True)
    }
    ratio = _avshim.sample_aspect_ratio(stream)
    shown["sample aspect ratio"] = ratio if ratio[0] else read_aspect_ratio(said) or (1, 1)
    shown["field order"] = colour["field_order"] or 1  # unknown or progressive
    side = _avshim.stream_side_data(stream)
    for frame_kind, stream_kind in STREAM_SIDE_DATA.items():
        data = side.get(stream_kind) or said.get(FIRST_SIDE_DATA + frame_kind, b"")
        shown[KEPT_KINDS[frame_kind].name] = comparable(FIRST_SIDE_DATA + frame_kind, data)
    return shown


def comparable(kind: int, data: bytes) -> object:
    """Side information in a form that is equal where the meaning is."""
    if kind != FIRST_SIDE_DATA + MASTERING:
        return data.hex()
    # Containers keep chromaticities and luminances, but not as the same fractions.
    numbers = np.frombuffer(data[:80], "<i4").reshape(-1, 2)
    return tuple(round(float(n) / float(d), 4) if d else 0.0 for n, d in numbers)
