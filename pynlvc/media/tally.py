"""Counting while frames go by, and telling whoever wants to know."""

from __future__ import annotations

import time
from dataclasses import dataclass

import av

from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.media.reports import Progress, ProgressCallback

REPORT_EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class FrameSize:
    """How much a frame is."""

    pixels: int
    raw_bytes: int  # samples as they lie in memory


def frame_size(frame: av.VideoFrame) -> FrameSize:
    """The size of a frame."""
    width, height = frame.width, frame.height
    return FrameSize(width * height, pixel_format(frame.format.name).frame_bytes(width, height))


class Tally:
    """Running totals of one stage; calls `progress` now and then, and once at the end."""

    def __init__(self, stage: str, expected_frames: int | None, progress: ProgressCallback | None) -> None:
        self.stage = stage
        self.expected_frames = expected_frames
        self.frames = 0
        self.pixels = 0
        self.raw_bytes = 0
        self.coded_bytes = 0
        self._progress = progress
        self._started = time.monotonic()
        self._next_report = self._started

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return time.monotonic() - self._started

    def add_frame(self, frame: av.VideoFrame, coded_bytes: int) -> None:
        """Counts a finished frame and the coded bytes that came with it."""
        self.add(frame_size(frame), coded_bytes)

    def add(self, size: FrameSize, coded_bytes: int) -> None:
        """The same for a frame that is not there any more."""
        self.pixels += size.pixels
        self.raw_bytes += size.raw_bytes
        self.coded_bytes += coded_bytes
        self.count()

    def count(self) -> None:
        """Counts a frame alone."""
        self.frames += 1
        if self._progress is not None and time.monotonic() >= self._next_report:
            self._report(self._progress)
            self._next_report = time.monotonic() + REPORT_EVERY_SECONDS

    def finish(self) -> None:
        """Tells the final state."""
        if self._progress is not None:
            self._report(self._progress)

    def _report(self, progress: ProgressCallback) -> None:
        progress(
            Progress(
                stage=self.stage,
                frames=self.frames,
                expected_frames=self.expected_frames,
                pixels=self.pixels,
                raw_bytes=self.raw_bytes,
                coded_bytes=self.coded_bytes,
                seconds=self.seconds,
            )
        )
