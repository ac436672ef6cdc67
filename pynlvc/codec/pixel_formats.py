"""The table of pixel formats: how FFmpeg's names map to planes, depth and subsampling (docs/bitstream.md §1).

Every supported format keeps its samples in native planes whose order is already the coding order (Y, U, V, alpha or
G, B, R, alpha), so no sample is ever converted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pynlvc import _core
from pynlvc.errors import UnsupportedFormatError


@dataclass(frozen=True)
class PixelFormat:
    """One sample layout."""

    name: str  # FFmpeg's name, for example "yuv420p10le"
    layout: str  # "grey", "yuv" or "rgb"
    depth: int  # bits per sample, 8..16
    sx: int  # planes 1 and 2 are 2**sx times narrower than plane 0
    sy: int  # planes 1 and 2 are 2**sy times lower than plane 0
    alpha: bool  # the last plane is alpha, in full size

    @property
    def plane_count(self) -> int:
        """1 to 4."""
        return (1 if self.layout == "grey" else 3) + self.alpha

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        """Type of a sample in memory: uint8 for 8 bits, little-endian uint16 above."""
        return np.dtype("u1") if self.depth == 8 else np.dtype("<u2")

    @property
    def maximum(self) -> int:
        """Largest sample value."""
        return (1 << self.depth) - 1

    def plane_shape(self, index: int, width: int, height: int) -> tuple[int, int]:
        """(rows, columns) of a plane of a `width` x `height` picture; subsampled sizes round up."""
        if index in (1, 2) and self.layout != "grey":
            return -(-height >> self.sy), -(-width >> self.sx)
        return height, width

    def samples(self, width: int, height: int) -> int:
        """Samples in one picture, all planes together."""
        shapes = (self.plane_shape(index, width, height) for index in range(self.plane_count))
        return sum(rows * columns for rows, columns in shapes)

    def core_format(self, width: int, height: int, time_base: tuple[int, int]) -> _core.Format:
        """The same as the native module says it."""
        return _core.Format(
            width=width,
            height=height,
            layout=self.layout,
            alpha=self.alpha,
            depth=self.depth,
            sx=self.sx,
            sy=self.sy,
            time_base=time_base,
            format_name=self.name,
        )


# family, layout, sx, sy, alpha, depths for which FFmpeg has a name
_FAMILIES: tuple[tuple[str, str, int, int, bool, tuple[int, ...]], ...] = (
    ("gray", "grey", 0, 0, False, (8, 9, 10, 12, 14, 16)),
    ("yuv420p", "yuv", 1, 1, False, (8, 9, 10, 12, 14, 16)),
    ("yuv422p", "yuv", 1, 0, False, (8, 9, 10, 12, 14, 16)),
    ("yuv444p", "yuv", 0, 0, False, (8, 9, 10, 12, 14, 16)),
    ("yuv440p", "yuv", 0, 1, False, (8, 10, 12)),
    ("yuv411p", "yuv", 2, 0, False, (8,)),
    ("yuv410p", "yuv", 2, 2, False, (8,)),
    ("yuvj420p", "yuv", 1, 1, False, (8,)),
    ("yuvj422p", "yuv", 1, 0, False, (8,)),
    ("yuvj444p", "yuv", 0, 0, False, (8,)),
    ("yuvj440p", "yuv", 0, 1, False, (8,)),
    ("yuvj411p", "yuv", 2, 0, False, (8,)),
    ("yuva420p", "yuv", 1, 1, True, (8, 9, 10, 16)),
    ("yuva422p", "yuv", 1, 0, True, (8, 9, 10, 12, 16)),
    ("yuva444p", "yuv", 0, 0, True, (8, 9, 10, 12, 16)),
    ("gbrp", "rgb", 0, 0, False, (8, 9, 10, 12, 14, 16)),
    ("gbrap", "rgb", 0, 0, True, (8, 10, 12, 14, 16)),
)

PIXEL_FORMATS: dict[str, PixelFormat] = {
    (name := family if depth == 8 else f"{family}{depth}le"): PixelFormat(name, layout, depth, sx, sy, alpha)
    for family, layout, sx, sy, alpha, depths in _FAMILIES
    for depth in depths
}

# The full-range names that FFmpeg keeps from JPEG: the samples of the plain name, with "full range" noted beside.
FULL_RANGE_TWINS: dict[str, str] = {
    name: name.replace("yuvj", "yuv") for name in PIXEL_FORMATS if name.startswith("yuvj")
}


def plain_name(name: str) -> str:
    """The format's name without the note of full range: equal for formats that hold equal samples."""
    return FULL_RANGE_TWINS.get(name, name)


def supported_formats() -> str:
    """One line for error messages: the families with their depths."""
    return ", ".join(
        f"{family} ({depths[0]} bit)" if len(depths) == 1 else f"{family} ({depths[0]} to {depths[-1]} bit)"
        for family, *_, depths in _FAMILIES
    )


def pixel_format(name: str) -> PixelFormat:
    """Looks a format up by FFmpeg's name; raises UnsupportedFormatError that says what is supported."""
    try:
        return PIXEL_FORMATS[name]
    except KeyError:
        raise UnsupportedFormatError(
            f"pixel format {name} is not supported. Supported, little-endian planar: {supported_formats()}"
        ) from None
