"""Pixel formats by FFmpeg's names: which planes of samples they hold and where those lie (docs/bitstream.md §1, §11).

FFmpeg's own description of each format says where every sample is. Nothing here converts: samples are read from and
written to their places, whether a format keeps them in planes, in pairs (nv12) or packed (rgb24, yuyv422).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import av.video.format
import numpy as np

from pynlvc import _avshim, _core
from pynlvc.errors import UnsupportedFormatError

MIN_DEPTH, MAX_DEPTH = 8, 16  # bits per sample

# AV_PIX_FMT_FLAG_* of FFmpeg's pixdesc.h.
_BIG_ENDIAN, _PALETTE, _BITSTREAM, _HARDWARE = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_RGB, _ALPHA, _BAYER, _FLOAT, _XYZ = 1 << 5, 1 << 7, 1 << 8, 1 << 9, 1 << 10

# Luma lies at uneven distances, which FFmpeg's description cannot say.
_UNEVEN = frozenset({"uyyvyy411"})


@dataclass(frozen=True)
class Component:
    """Where the samples of one coded plane lie in memory."""

    plane: int  # of the frame
    step: int  # bytes from sample to sample
    offset: int  # bytes before the first sample of a row
    shift: int  # bits below the sample in its byte or word
    depth: int  # bits
    alone: bool  # no other sample has bits in the byte or word

    @property
    def word_bytes(self) -> int:
        """1 or 2: what must be read to get at a sample."""
        return 1 if self.shift + self.depth <= 8 else 2


@dataclass(frozen=True)
class PixelFormat:
    """One sample layout."""

    name: str  # FFmpeg's name, for example "yuv420p10le"
    layout: str  # "grey", "yuv" or "rgb" (also for XYZ)
    depth: int  # bits per sample, 8..16
    sx: int  # planes 1 and 2 are 2**sx times narrower than plane 0
    sy: int  # planes 1 and 2 are 2**sy times lower than plane 0
    alpha: bool  # the last plane is alpha, in full size
    components: tuple[Component, ...]  # in coding order: Y, U, V or G, B, R, then alpha
    padding: Component | None  # bits that belong to no sample (the 0 of bgr0), None: there are none
    big_endian: bool
    memory_planes: tuple[tuple[int, int], ...]  # (bytes of the largest step, log2 of its subsampling) of each

    @property
    def plane_count(self) -> int:
        """1 to 4 coded planes."""
        return len(self.components)

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        """Type of a sample outside the frame: uint8 for 8 bits, uint16 above."""
        return np.dtype("u1") if self.depth == 8 else np.dtype("<u2")

    @property
    def maximum(self) -> int:
        """Largest sample value."""
        return (1 << self.depth) - 1

    @cached_property
    def planar(self) -> bool:
        """Whether the frame's planes are the coded planes, in the byte order of this table's `dtype`."""
        return not self.big_endian and all(
            (c.plane, c.step, c.offset, c.shift) == (index, self.dtype.itemsize, 0, 0)
            for index, c in enumerate(self.components)
        )

    def plane_shape(self, index: int, width: int, height: int) -> tuple[int, int]:
        """(rows, columns) of a coded plane of a `width` x `height` picture; subsampled sizes round up."""
        if index in (1, 2) and self.layout != "grey":
            return -(-height >> self.sy), -(-width >> self.sx)
        return height, width

    def memory_shape(self, plane: int, width: int, height: int) -> tuple[int, int]:
        """(rows, bytes of a row without what FFmpeg appends) of one of the frame's planes."""
        step, sx = self.memory_planes[plane]
        subsampled = plane in (1, 2) and self.layout == "yuv"
        return (-(-height >> self.sy) if subsampled else height), step * -(-width >> sx)

    def frame_bytes(self, width: int, height: int) -> int:
        """Bytes of one uncoded picture."""
        shapes = (self.memory_shape(plane, width, height) for plane in range(len(self.memory_planes)))
        return sum(rows * columns for rows, columns in shapes)

    def trailing_luma(self, width: int) -> bool:
        """Whether rows end in a luma sample beyond the picture: packed 4:2:2 of odd width."""
        return self.sx == 1 and self.components[0].plane == self.components[1].plane and width % 2 == 1

    def core_format(
        self, width: int, height: int, time_base: tuple[int, int], *, coded_padding: bool = False
    ) -> _core.Format:
        """The same as the native module says it; `coded_padding`: the padding is coded in the place of alpha."""
        return _core.Format(
            width=width,
            height=height,
            layout=self.layout,
            alpha=self.alpha or coded_padding,
            depth=self.depth,
            sx=self.sx,
            sy=self.sy,
            time_base=time_base,
            format_name=self.name,
        )


def _refusal(name: str) -> str | PixelFormat:
    """The format, or why it cannot be coded."""
    described = _avshim.describe_format(name)
    if described is None:
        return "FFmpeg knows no such format"
    sx, sy, flags, places = described
    for flag, why in (
        (_HARDWARE, "its samples are in the memory of a device (download them first, as with FFmpeg's hwdownload)"),
        (_PALETTE, "its samples are indices into a palette"),
        (_FLOAT, "its samples are floating-point numbers"),
        (_BAYER, "its samples are those of a Bayer sensor"),
        (_BITSTREAM, "its samples are not aligned to bytes"),
    ):
        if flags & flag:
            return why
    depths = sorted({depth for *_, depth in places})
    if depths[0] < MIN_DEPTH or depths[-1] > MAX_DEPTH:
        bits = " and ".join(map(str, depths))
        return f"its samples have {bits} bits, not {MIN_DEPTH} to {MAX_DEPTH}"
    if len(depths) > 1 or name in _UNEVEN:
        return "its samples have different depths" if len(depths) > 1 else "its samples lie at uneven distances"
    return _pixel_format(name, sx, sy, flags, places)


def _pixel_format(name: str, sx: int, sy: int, flags: int, places: list[tuple[int, int, int, int, int]]) -> PixelFormat:
    alpha = bool(flags & _ALPHA)
    colours = len(places) - alpha
    rgb = bool(flags & (_RGB | _XYZ))
    order = [1, 2, 0, 3][: len(places)] if rgb else list(range(len(places)))
    components = tuple(_component(index, places) for index in order)
    memory = []
    for plane in range(1 + max(place[0] for place in places)):
        here = [(step, index) for index, (where, step, *_) in enumerate(places) if where == plane]
        step, index = max(here, key=lambda entry: (entry[0], -entry[1]))
        memory.append((step, sx if index in (1, 2) else 0))
    return PixelFormat(
        name=name,
        layout="grey" if colours == 1 else "rgb" if rgb else "yuv",
        depth=places[0][4],
        sx=sx if colours > 1 else 0,
        sy=sy if colours > 1 else 0,
        alpha=alpha,
        components=components,
        padding=_padding(places),
        big_endian=bool(flags & _BIG_ENDIAN),
        memory_planes=tuple(memory),
    )


def _bytes_of(place: tuple[int, int, int, int, int]) -> set[tuple[int, int]]:
    """(plane, byte) of the first sample's byte or word."""
    plane, _, offset, shift, depth = place
    return {(plane, offset + byte) for byte in range(1 if shift + depth <= 8 else 2)}


def _component(index: int, places: list[tuple[int, int, int, int, int]]) -> Component:
    others = set().union(*(_bytes_of(place) for other, place in enumerate(places) if other != index))
    return Component(*places[index], alone=not others & _bytes_of(places[index]))


def _padding(places: list[tuple[int, int, int, int, int]]) -> Component | None:
    """The bits of a packed 4:4:4 layout that no sample has: whole bytes, or those left of 32 bits by three of ten."""
    steps = {(plane, step) for plane, step, *_ in places}
    if len(steps) != 1 or len(places) < 3:
        return None
    _, step = steps.pop()
    free = [byte for byte in range(step) if (0, byte) not in set().union(*map(_bytes_of, places))]
    if free:
        return Component(0, step, free[0], 0, 8 * len(free), alone=True)
    bits = 8 * step - sum(depth for *_, depth in places)
    if step != 4 or bits != 2:
        return None
    # Two bits lie above or below the three samples: in the first or the last byte, at the end away from the samples.
    below = min((offset, shift) for _, _, offset, shift, _ in places) == (0, 2)
    big_endian = max(places, key=lambda place: place[2])[3] == 0
    return Component(0, step, 0 if below or big_endian else 3, 0 if below else 6, 2, alone=False)


_names: set[str] = av.video.format.names  # type: ignore[attr-defined] # the stubs leave it out
_KNOWN: dict[str, str | PixelFormat] = {name: _refusal(name) for name in sorted(_names)}

PIXEL_FORMATS: dict[str, PixelFormat] = {
    name: found for name, found in _KNOWN.items() if isinstance(found, PixelFormat)
}

# The full-range names that FFmpeg keeps from JPEG: the samples of the plain name, with "full range" noted beside.
FULL_RANGE_TWINS: dict[str, str] = {
    name: name.replace("yuvj", "yuv") for name in PIXEL_FORMATS if name.startswith("yuvj")
}


def plain_name(name: str) -> str:
    """The format's name without the note of full range: equal for formats that hold equal samples."""
    return FULL_RANGE_TWINS.get(name, name)


def same_samples(a: str, b: str) -> bool:
    """Whether two formats hold the same planes of samples, in whatever order in memory."""
    if plain_name(a) == plain_name(b):
        return True
    one, other = PIXEL_FORMATS.get(a), PIXEL_FORMATS.get(b)
    return (
        one is not None
        and other is not None
        and (one.layout, one.depth, one.sx, one.sy, one.alpha)
        == (other.layout, other.depth, other.sx, other.sy, other.alpha)
        and one.name.startswith("xyz") == other.name.startswith("xyz")
    )


def pixel_format(name: str) -> PixelFormat:
    """Looks a format up by FFmpeg's name; raises UnsupportedFormatError that says why it cannot be coded."""
    found = PIXEL_FORMATS.get(name)
    if found is not None:
        return found
    raise UnsupportedFormatError(
        f"pixel format {name} is not supported: {_KNOWN.get(name, 'FFmpeg knows no such format')}. "
        f"Supported: grey, YUV and RGB of {MIN_DEPTH} to {MAX_DEPTH} bits, planar, semi-planar or packed"
    )
