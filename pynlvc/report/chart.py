"""Bars of bits per frame as SVG, which scales to any width and needs no library to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pynlvc.report.costs import FrameRecord

MOST_BARS = 600  # more frames share bars
HEIGHT = 100  # of the drawing, units; its width is one unit for each bar


@dataclass(frozen=True)
class Bar:
    """Consecutive frames."""

    first: int  # number of the first frame
    frames: int
    bits: float  # mean over the frames
    keyframe: bool  # at least one of them is
    scene_cut: bool


def bars(records: Sequence[FrameRecord]) -> list[Bar]:
    """One bar for each frame, or for as many as it takes to have MOST_BARS at most."""
    step = -(-len(records) // MOST_BARS)
    groups = [records[start : start + step] for start in range(0, len(records), step)]
    return [
        Bar(
            first=group[0].number,
            frames=len(group),
            bits=8 * sum(record.packet_bytes for record in group) / len(group),
            keyframe=any(record.keyframe for record in group),
            scene_cut=any(record.scene_cut for record in group),
        )
        for group in groups
    ]


def draw(chart: Sequence[Bar], label: str) -> str:
    """The SVG element; `label` says in words what it shows (HTML-escaped by the caller)."""
    top = ceiling(max(bar.bits for bar in chart))
    drawn = []
    for index, bar in enumerate(chart):
        height = HEIGHT * bar.bits / top
        kind = "cut" if bar.scene_cut else "key" if bar.keyframe else "inter"
        drawn.append(f'<rect class="{kind}" x="{index}" y="{HEIGHT - height:.2f}" width="0.86" height="{height:.2f}"/>')
    lines = "".join(f'<line x1="0" x2="{len(chart)}" y1="{y}" y2="{y}"/>' for y in (0, HEIGHT // 2))
    return (
        f'<svg id="bars" viewBox="0 0 {len(chart)} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{lines}{"".join(drawn)}'
        f'<line id="now" x1="0.43" x2="0.43" y1="0" y2="{HEIGHT}"/></svg>'
    )


def ceiling(value: float) -> float:
    """The next round number: 1, 2, 2.5 or 5 times a power of ten."""
    power = 1.0
    while power * 10 < value:
        power *= 10
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value)


def quantity(bits: float) -> str:
    """12345 -> "12.3 kbit"."""
    for unit, size in (("Mbit", 1e6), ("kbit", 1e3)):
        if bits >= size:
            return f"{bits / size:.3g} {unit}"
    return f"{bits:.3g} bit"
