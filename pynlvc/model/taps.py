"""What a network looks at: context planes, taps and the window that δ reveals (docs/bitstream.md sections 2 and 4)."""

from dataclasses import dataclass
from enum import IntEnum


class ContextPlane(IntEnum):
    """Ids of the planes that can be tapped, as they stand in a model file."""

    CUR = 0
    REF1_SUB = 1
    REF1 = 2
    REF2 = 3
    REF3 = 4
    REF4 = 5
    ERR_PREV = 6
    ERR = 7
    GUIDE1_CUR = 8
    GUIDE1_REF = 9
    GUIDE1_ERR = 10
    GUIDE2_CUR = 11
    GUIDE2_REF = 12
    GUIDE2_ERR = 13
    LEVEL = 14


#: Planes whose taps are revealed by δ; all others are complete when a sample is coded.
CAUSAL_PLANES = (ContextPlane.CUR, ContextPlane.ERR)
#: Planes whose taps are given as they are, without an anchor.
PLAIN_PLANES = (
    ContextPlane.ERR_PREV,
    ContextPlane.ERR,
    ContextPlane.GUIDE1_ERR,
    ContextPlane.GUIDE2_ERR,
    ContextPlane.LEVEL,
)
DELTAS = (0, 1, 2)


@dataclass(frozen=True, kw_only=True)
class Tap:
    """One input of a network: a position relative to the sample, on one context plane."""

    plane: ContextPlane
    dx: int  # columns, -3..3
    dy: int  # rows, -3..3
    absolute: bool = False  # give |value| (second tap list only)

    def revealed(self, delta: int) -> bool:
        """Whether group-wise decoding with slope `delta` has this position before the sample (section 2)."""
        return self.plane not in CAUSAL_PLANES or self.dx + delta * self.dy < 0


def square(plane: ContextPlane, radius: int) -> list[Tap]:
    """The (2 radius + 1)^2 square around the sample, raster order."""
    reach = range(-radius, radius + 1)
    return [Tap(plane=plane, dx=dx, dy=dy) for dy in reach for dx in reach]


def plus(plane: ContextPlane) -> list[Tap]:
    """The sample's place and its four neighbours."""
    return [Tap(plane=plane, dx=dx, dy=dy) for dx, dy in ((0, -1), (-1, 0), (0, 0), (1, 0), (0, 1))]


def without_corners(taps: list[Tap]) -> list[Tap]:
    """A square without the four taps that are farthest from its centre."""
    far = max(abs(t.dx) for t in taps)
    return [t for t in taps if abs(t.dx) < far or abs(t.dy) < far]


def without_centre(taps: list[Tap]) -> list[Tap]:
    """A list without the tap at (0, 0), which an anchor makes zero."""
    return [t for t in taps if (t.dx, t.dy) != (0, 0)]


def window(plane: ContextPlane, radius: int) -> list[Tap]:
    """Every position that some δ reveals with dy <= 0 (all slopes) or below to the left (δ = 0 alone)."""
    above = [Tap(plane=plane, dx=dx, dy=dy) for dy in range(-radius, 0) for dx in range(-radius, radius + 1)]
    left = [Tap(plane=plane, dx=dx, dy=0) for dx in range(-radius, 0)]
    below = [Tap(plane=plane, dx=dx, dy=dy) for dy in range(1, radius + 1) for dx in range(-radius, 0)]
    return above + left + below


def error_window() -> list[Tap]:
    """Causal prediction errors, signed and absolute, nearest first."""
    near = [
        (-1, 0),
        (0, -1),
        (-1, -1),
        (1, -1),
        (-2, 0),
        (0, -2),
        (-2, -1),
        (-1, -2),
        (1, -2),
        (2, -2),
        (-1, 1),
        (-1, 2),
        (-2, 1),
    ]
    return [
        Tap(plane=ContextPlane.ERR, dx=dx, dy=dy, absolute=absolute) for absolute in (False, True) for dx, dy in near
    ]


def absolute(taps: list[Tap]) -> list[Tap]:
    """The same taps, read as absolute values."""
    return [Tap(plane=t.plane, dx=t.dx, dy=t.dy, absolute=True) for t in taps]
