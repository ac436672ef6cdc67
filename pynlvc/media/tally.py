"""Counting while frames go by, and telling whoever wants to know."""

from __future__ import annotations

import time

import av

from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.media.reports import Progress, ProgressCallback

REPORT_EVERY_SECONDS = 0.2


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
        layout = pixel_format(frame.format.name)
        self.frames += 1
        self.pixels += frame.width * frame.height
        self.raw_bytes += layout.frame_bytes(frame.width, frame.height)
        self.coded_bytes += coded_bytes
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
