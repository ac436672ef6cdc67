"""A model fitted to the main video track of a file, which is read once more for that."""

from __future__ import annotations

import os
import time
from fractions import Fraction
from pathlib import Path

from pynlvc.codec import DecoderSettings, EncoderSettings
from pynlvc.errors import UsageError
from pynlvc.fitting.settings import FIRST_FITTING_EFFORT
from pynlvc.fitting.video import fit_to_video, fits_model
from pynlvc.media.containers import STANDARD_STREAM
from pynlvc.media.reports import Progress, ProgressCallback
from pynlvc.media.source import VideoSource
from pynlvc.media.tally import REPORT_EVERY_SECONDS
from pynlvc.model.store import Model


def fit_model(
    source: str | os.PathLike[str],
    *,
    settings: EncoderSettings,
    decoder_settings: DecoderSettings | None = None,
    video_tracks: str | None = None,
    frame_rate: Fraction | None = None,
    progress: ProgressCallback | None = None,
) -> Model | None:
    """The model of `settings` (effort 4 to 9), fitted to the main video track of `source`: for Encoder(model=...). The
    stream brings it as a difference to the installed one, so it decodes everywhere and as fast as without.

    None where fitting saves less than the difference costs. `video_tracks` and `frame_rate`: see transcode. Raises
    UsageError for an effort that fits no model and for standard input.
    """
    path = Path(source)
    if not fits_model(settings):
        raise UsageError(f"effort {settings.effort} with model {settings.model} fits no model to the video")
    if str(path) == STANDARD_STREAM:
        raise UsageError(
            f"effort {settings.effort} reads the video twice, which standard input cannot: use a file, or an effort "
            f"below {FIRST_FITTING_EFFORT}"
        )

    def open_again() -> VideoSource:
        return VideoSource(path, settings=decoder_settings, video_tracks=video_tracks, frame_rate=frame_rate)

    with open_again() as opened:
        count = opened.expected_frames
        if count is None:
            with open_again() as counted:
                count = sum(1 for _ in counted.frames())
        stages = _Stages(count, progress)
        return fit_to_video(opened.frames(), count, opened.frame_rate, settings, progress=stages.report)


class _Stages:
    """Turns shares of the work into what progress displays understand."""

    def __init__(self, count: int, progress: ProgressCallback | None) -> None:
        self._count = count
        self._progress = progress
        self._stage = ""
        self._started = self._next_report = time.monotonic()

    def report(self, stage: str, share: float) -> None:
        """`stage`: see pynlvc.fitting.video.Progress."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._started, self._next_report = stage, now, now
        if self._progress is None or (now < self._next_report and share < 1):
            return
        self._next_report = now + REPORT_EVERY_SECONDS
        frames = round(share * self._count)
        self._progress(
            Progress(
                stage=stage,
                frames=frames,
                expected_frames=self._count,
                pixels=0,
                raw_bytes=0,
                coded_bytes=0,
                seconds=now - self._started,
            )
        )
