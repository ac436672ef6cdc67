"""What every part of an NLVC file costs: packet by packet, down to the bit where the range coder can tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from pynlvc import _avshim, _core
from pynlvc.codec import Decoder, DecoderSettings
from pynlvc.codec.decoder import FrameCosts
from pynlvc.codec.pixel_formats import PixelFormat, pixel_format
from pynlvc.codec.planes import frame_planes
from pynlvc.codec.times import frame_seconds
from pynlvc.errors import BitstreamError, NlvcError
from pynlvc.media.matroska import missing_bytes
from pynlvc.media.source import VideoSource

PLANE_NAMES = {"grey": ("Y",), "yuv": ("Y", "U", "V"), "rgb": ("G", "B", "R")}  # docs/bitstream.md §1
CORRECTIONS = 129  # type of side information, docs/bitstream.md §9.1
BLOCK = 16  # edge of the blocks of FrameCosts.blocks, samples of plane 0

MOTION, CORRECTED = "motion vectors", "model corrections"
OTHER_SIDE, EMBEDDED, HEADERS = "other side information", "embedded model", "headers and checksums"


@dataclass(frozen=True)
class FrameRecord:
    """One frame of the stream."""

    number: int  # from 0
    seconds: float  # when it is shown
    keyframe: bool
    scene_cut: bool  # a keyframe where the content changes
    packet_bytes: int
    parts: dict[str, float]  # bytes by part of the packet; their sum is packet_bytes
    slice_modes: tuple[str, ...]  # how each slice is coded, as _core.PacketInfo.slice_modes
    checksum: int  # CRC-32C of the samples, which the decoder has proven


@dataclass(frozen=True)
class DecodedRecord:
    """A frame with its picture and costs by place."""

    record: FrameRecord
    picture: av.VideoFrame
    costs: FrameCosts


def read_costs(path: Path, settings: DecoderSettings | None = None) -> Iterator[DecodedRecord]:
    """Decodes the main video track of an NLVC file frame by frame.

    Raises NlvcError where the file is not NLVC, is damaged, cut off, or has no frame.
    """
    with VideoSource(path, settings=settings) as source:
        if not source.is_nlvc:
            raise NlvcError(f"{path} holds {source.codec_name}: a report is made of NLVC files (see pynlvc transcode)")
        decoder = Decoder(_avshim.extradata(source.stream), settings=settings, analysis=True)
        cuts = _SceneCuts()
        number = 0
        for packet in source.packets():
            try:
                (picture,) = decoder.decode(packet)
            except NlvcError as error:
                raise type(error)(f"{path}: {error}") from None
            assert decoder.costs is not None, "the decoder analyses"
            header = _core.parse_packet(packet)
            record = FrameRecord(
                number=number,
                seconds=float(frame_seconds(picture)),
                keyframe=header.is_keyframe,
                scene_cut=cuts.at(picture, header.is_keyframe),
                packet_bytes=packet.size,
                parts=_parts(packet.size, header, decoder.costs, pixel_format(picture.format.name)),
                slice_modes=tuple(header.slice_modes),
                checksum=header.checksum,
            )
            yield DecodedRecord(record, picture, decoder.costs)
            number += 1
    if not number:
        raise NlvcError(f"{path} has a video track without frames")
    if missing := missing_bytes(path):
        raise BitstreamError(f"{path} is cut off: {missing} bytes are missing after frame {number}")


def part_names(records: list[FrameRecord]) -> list[str]:
    """The parts that occur, in the order in which they stand in a packet of the report."""
    names = dict.fromkeys(name for record in records for name in record.parts)
    last = (MOTION, CORRECTED, OTHER_SIDE, EMBEDDED, HEADERS)
    return [name for name in names if name not in last] + [name for name in last if name in names]


def _plane_names(layout: PixelFormat, count: int) -> list[str]:
    """Of `count` coded planes; alpha, or padding that is coded like it, comes last."""
    letters = ("Y", "Z", "X") if layout.name.startswith("xyz") else PLANE_NAMES[layout.layout]
    last = ["alpha plane" if layout.alpha else "padding"] * (count - len(letters))
    return [f"plane {letter}" for letter in letters] + last


def _parts(size: int, header: _core.PacketInfo, costs: FrameCosts, layout: PixelFormat) -> dict[str, float]:
    """Bytes of each part of a packet. What is not named is headers and checksums."""
    names = _plane_names(layout, len(costs.planes))
    parts = {name: bits / 8 for name, bits in zip(names, costs.planes, strict=True)}
    if not header.is_keyframe:
        parts[MOTION] = costs.motion / 8
    corrections = len(header.side.get(CORRECTIONS, b""))
    others = sum(map(len, header.side.values())) + sum(map(len, (header.sequence_side or {}).values())) - corrections
    for name, count in (
        (CORRECTED, corrections),
        (OTHER_SIDE, others),
        (EMBEDDED, len(header.embedded_model)),
    ):
        if count:
            parts[name] = float(count)
    parts[HEADERS] = size - sum(parts.values())
    return parts


class _SceneCuts:
    """Finds keyframes where the scene changes, by the encoder's own measure."""

    def __init__(self) -> None:
        self._before: av.VideoFrame | None = None

    def at(self, picture: av.VideoFrame, keyframe: bool) -> bool:
        """Whether `picture`, which follows the one of the call before, begins a scene."""
        before, self._before = self._before, picture
        if before is None or not keyframe:
            return False
        depth = pixel_format(picture.format.name).depth
        old, new = (np.ascontiguousarray(frame_planes(frame)[0], np.uint16) for frame in (before, picture))
        field = _core.search_motion(new, old, None, depth)
        prediction = _core.compensate_subsample(old, field, 8, picture.width, picture.height, 0, 0, depth)
        return _core.scene_change(new, prediction, depth) > 1
