"""A progress line on stderr: frames, speed, size, time left."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from pynlvc.media.reports import Progress, ProgressCallback

BAR_WIDTH = 20  # characters


def duration(seconds: float) -> str:
    """75 -> "1:15"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def describe(state: Progress) -> str:
    """The line for a moment of the operation."""
    parts = [f"{state.stage:9}"]
    speed = state.frames / state.seconds if state.seconds > 0 else 0.0
    if state.expected_frames:
        share = min(1.0, state.frames / state.expected_frames)
        parts.append(f"[{'#' * round(share * BAR_WIDTH):{BAR_WIDTH}}] {state.frames}/{state.expected_frames}")
    else:
        parts.append(f"{state.frames} frames")
    parts.append(f"{speed:.1f} frames/s")
    if state.coded_bytes and state.pixels:
        parts.append(f"{8 * state.coded_bytes / state.pixels:.3f} bpp")
        parts.append(f"1:{state.raw_bytes / state.coded_bytes:.2f}")
    if state.expected_frames and speed > 0:
        parts.append(f"{duration(max(0, state.expected_frames - state.frames) / speed)} left")
    return "  ".join(parts)


class ProgressLine:
    """Draws the line over itself; nothing at all unless `wanted` (None: when stderr is a terminal)."""

    def __init__(self, wanted: bool | None = None) -> None:
        self._on = sys.stderr.isatty() if wanted is None else wanted
        self._width = 0

    @property
    def callback(self) -> ProgressCallback | None:
        """What to hand to the operation."""
        return self._draw if self._on else None

    def _draw(self, state: Progress) -> None:
        line = describe(state)
        sys.stderr.write(f"\r{line:{self._width}}")
        sys.stderr.flush()
        self._width = len(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
