"""One harness for every codec: frames in memory -> packets -> frames, timed, counted and checked.

A codec is an object with `encode` and `decode` (see Codec). Bytes are those of all packets and of the out-of-band
header; no container. Times are wall-clock of the codec's own calls, on all cores, frames already in memory.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av

# Formats that hold the same 8-bit RGB samples in another order: turning one into another loses nothing.
SAME_SAMPLES = ("gbrp", "rgb24", "bgr24", "bgr0", "rgb0", "0rgb", "0bgr")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A clip in memory. Frames are numbered by pts in units of 1/rate."""

    name: str
    path: Path
    pix_fmt: str
    width: int
    height: int
    rate: Fraction  # frames per second
    frames: list[av.VideoFrame]

    @property
    def raw_bytes(self) -> int:
        """Bytes of all samples without padding (the unused byte of bgr0 and its like is padding)."""
        if self.pix_fmt in SAME_SAMPLES:
            return 3 * self.width * self.height * len(self.frames)
        return sum(len(packed_samples(frame)) for frame in self.frames)

    def in_format(self, pix_fmt: str) -> Source:
        """The same samples in another format; ValueError where that would change them."""
        if pix_fmt == self.pix_fmt:
            return self
        if self.pix_fmt not in SAME_SAMPLES or pix_fmt not in SAME_SAMPLES:
            raise ValueError(f"{self.name}: {self.pix_fmt} cannot become {pix_fmt} without a change of samples")
        frames = [_numbered(frame.reformat(format=pix_fmt), frame.pts or 0, self.rate) for frame in self.frames]
        return replace(self, pix_fmt=pix_fmt, frames=frames)


@dataclass(frozen=True, kw_only=True)
class Coded:
    """What an encoder made of a source."""

    packets: list[bytes]
    header: bytes  # out-of-band header ("extradata"), empty where everything is in the packets

    @property
    def size_bytes(self) -> int:
        return len(self.header) + sum(map(len, self.packets))


class Codec(Protocol):
    """One codec with its settings."""

    @property
    def name(self) -> str:
        """Short and unique."""

    def carrier(self, pix_fmt: str) -> str | None:
        """The format in which this codec takes the samples of pix_fmt: the same or a reordering; None: it cannot."""

    def settings(self, source: Source) -> str:
        """The exact settings for a source, as one would type them."""

    def version(self) -> str:
        """What did the coding."""

    def encode(self, source: Source) -> Coded: ...

    def decode(self, coded: Coded, source: Source) -> list[av.VideoFrame]: ...


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One row of results: a codec on a clip."""

    status: str  # "ok", "unsupported format" or "DECODES WRONG"
    coded_as: str = ""  # pixel format
    coded_bytes: int = 0
    encode_fps: float = 0.0
    decode_fps: float = 0.0


def load_source(path: Path, *, frames: int | None = None) -> Source:
    """Decodes the first video track (its first `frames` frames) into memory."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or Fraction(25)
        decoded: list[av.VideoFrame] = []
        for frame in container.decode(stream):
            decoded.append(_numbered(frame, len(decoded), rate))
            if len(decoded) == frames:
                break
    if not decoded:
        raise ValueError(f"{path}: no video frames")
    first = decoded[0]
    return Source(
        name=path.stem,
        path=path,
        pix_fmt=first.format.name,
        width=first.width,
        height=first.height,
        rate=rate,
        frames=decoded,
    )


def packed_samples(frame: av.VideoFrame) -> bytes:
    """The samples of a frame plane by plane, row by row, without padding (what `-f rawvideo` writes)."""
    return b"".join(row for plane in frame.planes for row in _rows(frame, plane))


def frame_md5(frame: av.VideoFrame) -> str:
    """MD5 of the packed samples, as `ffmpeg -f framemd5` prints it."""
    return hashlib.md5(packed_samples(frame), usedforsecurity=False).hexdigest()


FrameHashes = Callable[[Source, str], list[str]]
"""(source, pixel format) -> MD5 of each frame; of the source file, and of frames that were decoded."""


def measure(codec: Codec, source: Source, *, hash_source: FrameHashes, hash_decoded: FrameHashes) -> Measurement:
    """Encodes, decodes, times and checks. The two hash functions say how the decoded frames are compared."""
    pix_fmt = codec.carrier(source.pix_fmt)
    if pix_fmt is None:
        return Measurement(status="unsupported format")
    carried = source.in_format(pix_fmt)
    start = time.perf_counter()
    coded = codec.encode(carried)
    encoded = time.perf_counter()
    frames = codec.decode(coded, carried)
    decoded = time.perf_counter()
    check = "gbrp" if source.pix_fmt in SAME_SAMPLES else source.pix_fmt
    restored = replace(source, pix_fmt=frames[0].format.name if frames else pix_fmt, frames=frames)
    exact = _comparable(restored, check)
    exact = exact and hash_decoded(restored.in_format(check), check) == hash_source(source, check)
    return Measurement(
        status="ok" if exact else "DECODES WRONG",
        coded_as=pix_fmt,
        coded_bytes=coded.size_bytes,
        encode_fps=len(frames) / (encoded - start),
        decode_fps=len(frames) / (decoded - encoded),
    )


def hash_in_process(source: Source, pix_fmt: str) -> list[str]:
    """Frame hashes without any other program: for the demo, which must run without ffmpeg."""
    return [frame_md5(frame) for frame in source.in_format(pix_fmt).frames]


def _comparable(source: Source, pix_fmt: str) -> bool:
    """Whether all frames have the declared size and one format that holds the samples of pix_fmt."""
    kinds = {(frame.width, frame.height, frame.format.name) for frame in source.frames}
    same_samples = source.pix_fmt == pix_fmt or {source.pix_fmt, pix_fmt} <= set(SAME_SAMPLES)
    return kinds == {(source.width, source.height, source.pix_fmt)} and same_samples


def _numbered(frame: av.VideoFrame, index: int, rate: Fraction) -> av.VideoFrame:
    frame.pts, frame.time_base = index, 1 / rate
    frame.pict_type = av.video.frame.PictureType.NONE  # the source's picture types are no advice to an encoder
    return frame


def _rows(frame: av.VideoFrame, plane: av.video.plane.VideoPlane) -> Iterator[bytes]:
    sample_format = frame.format
    if len(frame.planes) == 1 and len(sample_format.components) > 1:
        row_bytes = plane.width * sample_format.padded_bits_per_pixel // 8
    else:
        row_bytes = plane.width * (2 if sample_format.components[0].bits > 8 else 1)
    view = memoryview(plane)
    for row in range(plane.height):
        start = row * plane.line_size
        yield bytes(view[start : start + row_bytes])
