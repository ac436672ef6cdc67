"""Exact times of frames."""

from __future__ import annotations

from fractions import Fraction

import av

from pynlvc.errors import NlvcError


def frame_time(frame: av.VideoFrame) -> tuple[int, Fraction]:
    """(pts, time base in seconds) of a frame that must have both."""
    if frame.pts is None or frame.time_base is None:
        raise NlvcError("the frame has no timestamp")
    return frame.pts, frame.time_base


def frame_seconds(frame: av.VideoFrame) -> Fraction:
    """When the frame is shown, exactly, in seconds."""
    pts, time_base = frame_time(frame)
    return pts * time_base
