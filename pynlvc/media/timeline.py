"""Exact timestamps where the container only has rounded ones.

NLVC packets carry the source's timestamps in the source's time base; Matroska rounds them to a millisecond. As long as
the two agree within rounding, the exact ones hold. Where they do not (a file that was cut, appended or shifted by other
tools) the container is right about *when*, and the exact timestamps are moved by the difference.
"""

from __future__ import annotations

from fractions import Fraction

import av

from pynlvc.codec.times import frame_time

MATROSKA_TICK = Fraction(1, 1000)  # seconds; a file in another container may have been in Matroska before


class Timeline:
    """Places decoded NLVC frames on the container's time axis."""

    def __init__(self, container_time_base: Fraction, *, counts_frames: bool = False) -> None:
        """`counts_frames`: the container numbers frames instead of timing them: exact times hold while they rise."""
        self._container_time_base = container_time_base
        self._tolerance = max(container_time_base, MATROSKA_TICK)
        self._time_base: Fraction | None = None  # that of the first frame; kept for the whole track
        self._offset = 0  # in units of _time_base
        self._moved = Fraction(0)  # seconds
        self._counts_frames = counts_frames
        self._last_pts: int | None = None  # in units of _time_base

    def keep(self, moved_seconds: Fraction) -> None:
        """The container moved all times by so much because it holds none before zero: the exact ones hold."""
        self._moved = moved_seconds

    @property
    def shifted(self) -> bool:
        """Whether the container's times differ from the stream's own by more than rounding."""
        return self._offset != 0

    def place(self, frame: av.VideoFrame, container_pts: int | None) -> None:
        """Sets the frame's pts, duration and time base; `container_pts` is in the container's time base."""
        own_pts, own_base = frame_time(frame)
        frame.pts = frame.dts = self._pts(own_pts, own_base, container_pts)
        assert self._time_base is not None
        frame.duration = round((frame.duration or 0) * (own_base / self._time_base))
        frame.time_base = self._time_base

    def seconds(self, own_pts: int, own_base: Fraction, container_pts: int | None) -> Fraction:
        """Where place() puts a frame that has this time itself, seconds; each frame is placed once, in order."""
        pts = self._pts(own_pts, own_base, container_pts)
        assert self._time_base is not None
        return pts * self._time_base

    def _pts(self, own_pts: int, own_base: Fraction, container_pts: int | None) -> int:
        """In units of _time_base."""
        if self._time_base is None:
            self._time_base = own_base
        pts = round(own_pts * (own_base / self._time_base))
        rises = self._last_pts is not None and pts + self._offset > self._last_pts
        if container_pts is not None and not (self._counts_frames and rises):
            shown = container_pts * self._container_time_base - self._moved
            drift = shown - (pts + self._offset) * self._time_base
            if abs(drift) > self._tolerance + self._time_base / 2:
                self._offset = round(shown / self._time_base) - pts
        self._last_pts = pts + self._offset
        return self._last_pts
