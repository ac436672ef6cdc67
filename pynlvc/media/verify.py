"""Is a file whole and right? Decodes everything and, where asked, compares every sample with the source."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import av
import numpy as np

from pynlvc.codec import DecoderSettings
from pynlvc.codec.pixel_formats import plain_name, same_samples
from pynlvc.codec.planes import frame_planes, memory_checksum
from pynlvc.codec.times import frame_seconds
from pynlvc.errors import NlvcError
from pynlvc.media.containers import holds_pictures
from pynlvc.media.reports import ProgressCallback, VerifyReport
from pynlvc.media.source import VideoSource
from pynlvc.media.tally import Tally
from pynlvc.media.timeline import MATROSKA_TICK

_MISSING = object()  # stands for a frame after the end of a file

MAX_PROBLEMS = 100  # a report lists so many; then one line says that there are more


class _Problems:
    """What was found, up to a limit."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._more = 0

    def add(self, problem: str) -> None:
        if len(self.found) < MAX_PROBLEMS:
            self.found.append(problem)
        else:
            self._more += 1

    def all(self) -> tuple[str, ...]:
        return (*self.found, f"and {self._more} more problems") if self._more else tuple(self.found)


def verify(
    path: str | os.PathLike[str],
    against: str | os.PathLike[str] | None = None,
    *,
    settings: DecoderSettings | None = None,
    progress: ProgressCallback | None = None,
) -> VerifyReport:
    """Decodes the whole video track of `path`: all stored checksums, order of timestamps, completeness of the file.

    With `against`, every sample of every frame, the number of frames and their times (within the rounding of the
    containers) are compared with that file's video track. Damage is listed in the report and does not raise; NlvcError
    is raised for files that cannot be read at all.
    """
    started = time.monotonic()
    problems = _Problems()
    with ExitStack() as files:
        checked = files.enter_context(VideoSource(Path(path), settings=settings))
        original = files.enter_context(VideoSource(Path(against), settings=settings)) if against is not None else None
        tally = Tally("verifying", checked.expected_frames, progress)
        frames = _checked_frames(checked, problems, tally)
        if original is None:
            for _ in frames:
                pass
        else:
            _compare(frames, checked, original, problems)
        if checked.damaged_frames:
            problems.add(f"FFmpeg found {checked.damaged_frames} frames damaged")
        if checked.missing_seconds:
            problems.add(f"the track ends {checked.missing_seconds:.3f} s too early: frames are missing at its end")
        tally.finish()
    return VerifyReport(
        path=Path(path),
        against=None if against is None else Path(against),
        codec=checked.codec_name,
        frames=checked.frames_read,
        problems=problems.all(),
        seconds=time.monotonic() - started,
    )


def _checked_frames(source: VideoSource, problems: _Problems, tally: Tally) -> Iterator[av.VideoFrame | None]:
    """Every frame of the track, None for one that is damaged; notes what is wrong."""
    lost: list[NlvcError] = []
    last_seconds: Fraction | None = None
    number = 0
    try:
        for frame in source.frames(lost.append):
            for error in lost:
                problems.add(str(error))
                yield None
            number += len(lost)
            lost.clear()
            time_seconds = frame_seconds(frame)
            if last_seconds is not None and time_seconds <= last_seconds:
                problems.add(f"frame {number}: its timestamp does not follow the frame before it")
            last_seconds = time_seconds
            tally.add_frame(frame, 0)
            yield frame
            number += 1
    except NlvcError as end:
        problems.add(str(end))
    for error in lost:
        problems.add(str(error))
        yield None
    if number + len(lost) == 0 and not problems.found:
        problems.add("the video track has no frames")


def _compare(
    frames: Iterator[av.VideoFrame | None], checked: VideoSource, original: VideoSource, problems: _Problems
) -> None:
    """Compares all samples and times with those of `original`."""
    timed = not (holds_pictures(checked.container) or holds_pictures(original.container))
    tolerance = max(checked.time_base, MATROSKA_TICK) + original.time_base
    count = original_count = 0
    shift: Fraction | None = None
    for number, (frame, wanted) in enumerate(zip_longest(frames, original.frames(), fillvalue=_MISSING)):
        count += frame is not _MISSING
        original_count += wanted is not _MISSING
        if not isinstance(frame, av.VideoFrame) or not isinstance(wanted, av.VideoFrame):
            continue
        difference = _difference(frame, wanted)
        if difference:
            problems.add(f"frame {number} differs from {original.path}: {difference}")
        drift = frame_seconds(frame) - frame_seconds(wanted)
        shift = drift if shift is None else shift  # a constant shift concerns all tracks alike: no damage
        if timed and abs(drift - shift) > tolerance:
            problems.add(f"frame {number} is shown {float(drift - shift):+.6f} s from its time in {original.path}")
    if count != original_count:
        problems.add(f"there are {count} frames where {original.path} has {original_count}")


def _difference(frame: av.VideoFrame, wanted: av.VideoFrame) -> str:
    """Where two frames first differ, in words; empty when they are equal."""
    if (frame.width, frame.height) != (wanted.width, wanted.height):
        return f"{frame.width}x{frame.height} instead of {wanted.width}x{wanted.height}"
    if not same_samples(frame.format.name, wanted.format.name):
        return f"pixel format {frame.format.name} instead of {wanted.format.name}"
    for index, (mine, theirs) in enumerate(zip(frame_planes(frame), frame_planes(wanted), strict=True)):
        if not np.array_equal(mine, theirs):
            row, column = (int(value) for value in np.argwhere(mine != theirs)[0])
            return (
                f"{np.count_nonzero(mine != theirs)} samples of plane {index}, the first at column {column}, row {row}"
            )
    alike = plain_name(frame.format.name) == plain_name(wanted.format.name)
    if alike and memory_checksum(frame) != memory_checksum(wanted):
        return "the unused bits between the samples differ"
    return ""
