"""What is known about a file's video track without decoding it: from the container and the packets' headers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from pynlvc import _avshim, _core
from pynlvc.codec.pixel_formats import PIXEL_FORMATS
from pynlvc.errors import BitstreamError, MissingModelError, NlvcError
from pynlvc.media.source import VideoSource
from pynlvc.model.store import base_of, find_model, parse_model


@dataclass(frozen=True)
class StreamInfo:
    """What only NLVC streams have."""

    model: str | None  # name of the model, None when it is neither embedded nor installed
    model_hash: str  # its SHA-256, 64 hexadecimal digits
    model_installed: bool
    model_embedded: bool
    # SHA-256 of the model that this one was fitted from and the bytes of the difference in the file; None: not fitted
    model_difference: tuple[str, int] | None
    delta: int  # slope of the sample groups
    time_base: Fraction  # unit of the exact timestamps, seconds
    slices: tuple[int, int]  # fewest and most in a frame
    slices_total: int
    raw_slices: int  # stored without the model, because it would have cost more


@dataclass(frozen=True)
class TrackInfo:
    """A file's main video track."""

    path: Path
    container: str
    codec: str  # "nlvc" or FFmpeg's name
    width: int  # samples
    height: int  # samples
    pix_fmt: str
    sample_aspect_ratio: Fraction | None
    frame_rate: Fraction | None  # frames per second
    duration_seconds: float  # from the first frame's start to the last one's end
    frames: int
    keyframes: int
    longest_gop: int  # frames
    keyframe_bytes: int
    inter_bytes: int  # of the frames that are predicted from earlier ones
    raw_bytes: int  # uncoded samples
    stream: StreamInfo | None  # None for other codecs

    @property
    def coded_bytes(self) -> int:
        """All packets together, without the container."""
        return self.keyframe_bytes + self.inter_bytes

    @property
    def bits_per_pixel(self) -> float:
        """Mean over all frames, all planes together."""
        return self._bits_per_pixel(self.coded_bytes, self.frames)

    @property
    def keyframe_bits_per_pixel(self) -> float:
        """Mean over the keyframes."""
        return self._bits_per_pixel(self.keyframe_bytes, self.keyframes)

    @property
    def inter_bits_per_pixel(self) -> float:
        """Mean over the other frames, 0 where there are none."""
        return self._bits_per_pixel(self.inter_bytes, self.frames - self.keyframes)

    @property
    def ratio(self) -> float:
        """Raw bytes for each coded byte."""
        return self.raw_bytes / self.coded_bytes

    def _bits_per_pixel(self, size: int, frames: int) -> float:
        return 8 * size / (frames * self.width * self.height) if frames else 0.0


def info(path: str | os.PathLike[str]) -> TrackInfo:
    """Reads the packets' headers of a file's main video track; raises NlvcError for files that cannot be read."""
    with VideoSource(Path(path)) as source:
        counts = _Counts()
        for packet in source.packets():
            counts.add(packet)
            if source.is_nlvc:
                counts.add_header(packet)
        if not counts.frames:
            raise NlvcError(f"{path} has a video track without frames")
        width, height = _avshim.size(source.stream)
        pix_fmt = (counts.format_name if source.is_nlvc else source.stream.codec_context.pix_fmt) or "unknown"
        ratio = _avshim.sample_aspect_ratio(source.stream)
        return TrackInfo(
            path=Path(path),
            container=source.container.format.name,
            codec=source.codec_name,
            width=width,
            height=height,
            pix_fmt=pix_fmt,
            sample_aspect_ratio=Fraction(*ratio) if ratio[0] else None,
            frame_rate=source.frame_rate,
            duration_seconds=float((counts.end - counts.start) * source.time_base),
            frames=counts.frames,
            keyframes=counts.keyframes,
            longest_gop=counts.longest_gop,
            keyframe_bytes=counts.keyframe_bytes,
            inter_bytes=counts.inter_bytes,
            raw_bytes=counts.frames * _frame_bytes(pix_fmt, width, height),
            stream=counts.stream_info() if source.is_nlvc else None,
        )


def _frame_bytes(pix_fmt: str, width: int, height: int) -> int:
    """Bytes of one uncoded frame, for formats that pynlvc cannot code too."""
    layout = PIXEL_FORMATS.get(pix_fmt)
    if layout is not None:
        return layout.frame_bytes(width, height)
    try:
        return width * height * av.VideoFormat(pix_fmt).bits_per_pixel // 8
    except ValueError:
        return 0


class _Counts:
    """Sums over the packets of a track."""

    def __init__(self) -> None:
        self.frames = self.keyframes = 0
        self.keyframe_bytes = self.inter_bytes = 0
        self.longest_gop = 0
        self.start = self.end = 0  # in the container's time base
        self.format_name = ""
        self._gop = 0
        self._slice_counts: list[int] = []  # fewest, most
        self._slices = self._raw_slices = 0
        self._sequence: _Sequence | None = None

    def add(self, packet: av.Packet) -> None:
        """Counts what the container says."""
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            end = time + (packet.duration or 0)
            self.start, self.end = (min(self.start, time), max(self.end, end)) if self.frames else (time, end)
        self.frames += 1
        if packet.is_keyframe:
            self.keyframes += 1
            self.keyframe_bytes += packet.size
            self._gop = 0
        else:
            self.inter_bytes += packet.size
        self._gop += 1
        self.longest_gop = max(self.longest_gop, self._gop)

    def add_header(self, packet: av.Packet) -> None:
        """Counts what an NLVC packet says about itself."""
        try:
            header = _core.parse_packet(packet)
            if header.is_keyframe and self._sequence is None:
                self._sequence = _first_sequence(header)
                self.format_name = self._sequence.format_name
        except _core.BitstreamError as error:
            raise BitstreamError(f"packet {self.frames - 1}: {error}") from None
        count = len(header.slice_modes)
        self._slice_counts = [min(self._slice_counts + [count]), max(self._slice_counts + [count])]
        self._slices += count
        self._raw_slices += header.slice_modes.count("raw")

    def stream_info(self) -> StreamInfo:
        """The part of the report that only NLVC has."""
        if self._sequence is None:
            raise BitstreamError("the track has no keyframe")
        installed = find_model(bytes.fromhex(self._sequence.model_hash))
        embedded = self._sequence.embedded_model
        base = base_of(embedded, "the embedded model")
        try:
            known = parse_model(embedded, "the embedded model") if embedded else installed
        except MissingModelError:
            known = None
        return StreamInfo(
            model=known.name if known else None,
            model_hash=self._sequence.model_hash,
            model_installed=installed is not None or (base is not None and known is not None),
            model_embedded=bool(embedded) and base is None,
            model_difference=(base.hex(), len(embedded)) if base is not None else None,
            delta=self._sequence.delta,
            time_base=self._sequence.time_base,
            slices=(self._slice_counts[0], self._slice_counts[1]),
            slices_total=self._slices,
            raw_slices=self._raw_slices,
        )


@dataclass(frozen=True)
class _Sequence:
    """What the first keyframe says about the stream."""

    format_name: str
    time_base: Fraction
    model_hash: str
    delta: int
    embedded_model: bytes


def _first_sequence(header: _core.PacketInfo) -> _Sequence:
    assert header.format is not None and header.model_hash is not None and header.delta is not None, (
        "a keyframe has them"
    )
    return _Sequence(
        format_name=header.format.format_name,
        time_base=Fraction(*header.format.time_base),
        model_hash=header.model_hash,
        delta=header.delta,
        embedded_model=bytes(header.embedded_model),
    )
