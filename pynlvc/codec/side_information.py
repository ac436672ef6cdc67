"""What frames say beside their samples, to and from the bytes of docs/bitstream.md §9.1.

Colour, aspect ratio, fields, rotation, HDR10 and the other kinds of FFmpeg's frame side data that are plain bytes.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import av
import numpy as np

from pynlvc import _avshim
from pynlvc.codec.planes import Padding
from pynlvc.errors import BitstreamError

SideInformation = dict[int, bytes]

COLOUR, ASPECT_RATIO, FIELDS, PADDING, TRAILING_LUMA = 1, 2, 3, 4, 5
MAX_COLOUR_CODE = 511  # FFmpeg's own additions to ITU-T H.273 begin at 256
UNKNOWN_COLOUR = (0, 2, 2, 2, 0)  # range, primaries, transfer, matrix, chroma location: unspecified
FIRST_SIDE_DATA = 32  # type of FFmpeg's frame side data of kind 0

MASTERING = 11  # a kind


@dataclass(frozen=True)
class SideDataKind:
    """One of FFmpeg's kinds of frame side data that is plain numbers."""

    name: str
    number_bytes: int = 1  # of each of its numbers
    size: int | None = None  # bytes in all, None: any


# By AVFrameSideDataType.
KEPT_KINDS: dict[int, SideDataKind] = {
    1: SideDataKind("closed captions"),
    6: SideDataKind("rotation", 4, 36),
    7: SideDataKind("active format description", 1, 1),
    MASTERING: SideDataKind("mastering display", 4, 88),
    12: SideDataKind("GOP timecode", 8, 8),
    14: SideDataKind("content light level", 4, 8),
    15: SideDataKind("ICC profile"),
    16: SideDataKind("timecode", 4, 16),
    23: SideDataKind("Dolby Vision RPU"),
    26: SideDataKind("ambient viewing environment", 4, 24),
    31: SideDataKind("EXIF"),
}
# Those of them that belong to single frames.
_PASSING_KINDS = frozenset({1, 12, 16, 23})
# Kinds that describe the former coding and mean nothing in another one.
CODING_KINDS = frozenset({8, 18, 19, 20, 22})
LOST_KINDS: dict[int, str] = {
    0: "pan and scan",
    2: "stereo 3D",
    13: "spherical projection",
    17: "dynamic HDR10+ metadata",
    21: "film grain parameters",
    24: "parsed Dolby Vision metadata",
    25: "dynamic HDR Vivid metadata",
    27: "video hints",
    28: "LCEVC enhancement",
    29: "view id",
    30: "3D reference displays",
}


def _varints(values: tuple[int, ...]) -> bytes:
    out = bytearray()
    for value in values:
        while value >= 0x80:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
    return bytes(out)


def _read_varints(data: bytes, count: int, what: str) -> list[int]:
    """The first `count` values; what follows them is for later versions."""
    values, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            values.append(value)
            value = shift = 0
            if len(values) == count:
                break
    if len(values) < count or max(values) >= 1 << 31:
        raise BitstreamError(f"the side information on {what} is damaged")
    return values


def _portable(data: bytes, size: int) -> bytes:
    """Numbers of `size` bytes between the machine's byte order and little-endian."""
    if sys.byteorder == "little" or size == 1:
        return data
    return np.frombuffer(data, f">u{size}").astype(f"<u{size}").tobytes()


def read_side_information(frame: av.VideoFrame) -> tuple[SideInformation, set[str]]:
    """(what the frame says by type, names of what cannot be kept)."""
    side: SideInformation = {}
    colour = _avshim.frame_color(frame)
    if colour != UNKNOWN_COLOUR:
        side[COLOUR] = _varints(colour)
    ratio = _avshim.frame_aspect_ratio(frame)
    if ratio[0] > 0:
        side[ASPECT_RATIO] = _varints(ratio)
    interlaced, top_first, repeat = _avshim.frame_fields(frame)
    if interlaced or top_first or repeat:
        side[FIELDS] = _varints((interlaced | top_first << 1, max(0, repeat)))
    lost: set[str] = set()
    for kind, data in _avshim.frame_side_data(frame):
        kept = KEPT_KINDS.get(kind)
        if kept is not None and data and kept.size in (None, len(data)):
            side[FIRST_SIDE_DATA + kind] = _portable(data, kept.number_bytes)
        elif kind not in CODING_KINDS:
            lost.add(LOST_KINDS.get(kind, f"side data of kind {kind}"))
    return side, lost


def lasting(side: Mapping[int, bytes]) -> SideInformation:
    """What of a frame's side information most likely holds for the whole stream."""
    return {kind: data for kind, data in side.items() if kind - FIRST_SIDE_DATA not in _PASSING_KINDS}


def describe(kind: int) -> str:
    """A type of side information in words."""
    names = {COLOUR: "colour", ASPECT_RATIO: "sample aspect ratio", FIELDS: "fields"}
    known = KEPT_KINDS.get(kind - FIRST_SIDE_DATA)
    return known.name if known is not None else names.get(kind, f"side information of type {kind}")


def write_side_information(frame: av.VideoFrame, side: Mapping[int, bytes]) -> None:
    """Puts on a new frame what it was encoded with; types that this version does not know are skipped."""
    for kind, data in side.items():
        if kind == COLOUR:
            _avshim.set_frame_color(frame, *read_colour(side))
        elif kind == ASPECT_RATIO:
            _avshim.set_frame_aspect_ratio(frame, *_read_varints(data, 2, "the aspect ratio"))
        elif kind == FIELDS:
            bits, repeat = _read_varints(data, 2, "fields")
            _avshim.set_frame_fields(frame, bool(bits & 1), bool(bits & 2), repeat)
        elif kind - FIRST_SIDE_DATA in KEPT_KINDS:
            known = KEPT_KINDS[kind - FIRST_SIDE_DATA]
            if known.size not in (None, len(data)):  # FFmpeg would read beyond its end
                raise BitstreamError(f"the side information on {known.name} is damaged")
            _avshim.add_frame_side_data(frame, kind - FIRST_SIDE_DATA, _portable(data, known.number_bytes))


def read_colour(side: Mapping[int, bytes]) -> tuple[int, ...]:
    """(range, primaries, transfer, matrix, chroma location) by FFmpeg's numbers."""
    if COLOUR not in side:
        return UNKNOWN_COLOUR
    colour = tuple(_read_varints(side[COLOUR], 5, "colour"))
    if max(colour) > MAX_COLOUR_CODE:
        raise BitstreamError("the side information on colour is damaged")
    return colour


def read_aspect_ratio(side: Mapping[int, bytes]) -> tuple[int, ...] | None:
    """(width, height) of a sample, None where it is unknown."""
    return tuple(_read_varints(side[ASPECT_RATIO], 2, "the aspect ratio")) if ASPECT_RATIO in side else None


def padding_information(padding: Padding) -> SideInformation:
    """The bits of a frame that belong to no sample, unless they are zero or coded as a plane."""
    side: SideInformation = {}
    if padding.constant:
        side[PADDING] = struct.pack("<H", padding.constant)
    if padding.trailing:
        side[TRAILING_LUMA] = padding.trailing
    return side


def padding_constant(side: Mapping[int, bytes]) -> int:
    """The reverse of padding_information for the constant."""
    data = side.get(PADDING, b"\0\0")
    if len(data) != 2:
        raise BitstreamError("the side information on padding is damaged")
    return int.from_bytes(data, "little")
