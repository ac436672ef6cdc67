"""Is a file whole and right? Decodes everything and, where asked, compares every frame with the source."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import av
import numpy as np

from pynlvc import _avshim, _core
from pynlvc.codec import DecoderSettings
from pynlvc.codec.damage import Damage, describe_damage
from pynlvc.codec.pixel_formats import plain_name, same_samples
from pynlvc.codec.planes import frame_planes, memory_checksum
from pynlvc.codec.times import frame_seconds
from pynlvc.errors import NlvcError
from pynlvc.media.containers import STANDARD_STREAM, holds_pictures
from pynlvc.media.fixity import file_sha256
from pynlvc.media.framemd5 import FrameHashes, frame_hash
from pynlvc.media.matroska import damaged_elements
from pynlvc.media.reports import ProgressCallback, VerifyReport
from pynlvc.media.source import VideoSource
from pynlvc.media.tally import Tally
from pynlvc.media.timeline import MATROSKA_TICK
from pynlvc.model.store import parse_model

_MISSING = object()  # stands for a frame after the end of a file

MAX_PROBLEMS = 100  # comparisons with another file list so many; then one line says that there are more


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
    """Decodes the whole video track of `path`, and all further ones of NLVC: all stored checksums, order of timestamps,
    completeness of the file.

    With `against`, every sample of every frame, the number of frames and their times (within the rounding of the
    containers) are compared with that file's video track; or every frame's hash, where `against` is what
    `ffmpeg -f framemd5` or `pynlvc framemd5` wrote. Damage is listed in the report and does not raise; NlvcError is
    raised for files that cannot be read at all, and MissingModelError.
    """
    started = time.monotonic()
    problems = _Problems()
    settings = replace(settings or DecoderSettings(), on_error="conceal")
    with ExitStack() as files:
        checked = files.enter_context(VideoSource(Path(path), settings=settings))
        hashes = None if against is None else FrameHashes.read(Path(against))
        original = None
        if against is not None and hashes is None:
            original = files.enter_context(VideoSource(Path(against), settings=replace(settings, on_error="fail")))
        tally = Tally("verifying", checked.expected_frames, progress)
        frames = _checked_frames(checked, problems, tally)
        if original is not None:
            _compare(frames, checked, original, problems)
        elif hashes is not None:
            _compare_hashes(frames, hashes, Path(against or ""), problems)
        else:
            for _ in frames:
                pass
        if checked.damaged_frames:
            problems.add(f"FFmpeg found {checked.damaged_frames} frames damaged")
        if checked.missing_seconds:
            problems.add(f"the track ends {checked.missing_seconds:.3f} s too early: frames are missing at its end")
        for element in damaged_elements(checked.path):
            problems.add(element)
        lines, damage, remarks = _conclude(checked, problems)
        tally.finish()
        for number in checked.further_nlvc if str(path) != STANDARD_STREAM else ():
            further = _verify_further(checked.path, number, settings, progress)
            lines, damage, remarks = lines + further[0], damage + further[1], remarks + further[2]
    whole = str(path) != STANDARD_STREAM and Path(path).is_file()
    return VerifyReport(
        path=Path(path),
        against=None if against is None else Path(against),
        codec=checked.codec_name,
        frames=tally.frames,
        problems=(*lines, *problems.all()),
        seconds=time.monotonic() - started,
        damage=tuple(damage),
        remarks=tuple(remarks),
        sha256=file_sha256(Path(path)) if whole else None,
    )


def _conclude(source: VideoSource, problems: _Problems) -> tuple[list[str], list[Damage], list[str]]:
    """(lines about the damage, damage, remarks) of the track that was read; what its header and numbers say goes to the
    problems."""
    if not source.is_nlvc:
        return [], [], []
    _check_header(source, problems)
    for problem in source.main.continuity.problems:
        problems.add(problem)
    return describe_damage(source.main.damage), source.main.damage, source.main.continuity.remarks


def _verify_further(
    path: Path, number: int, settings: DecoderSettings, progress: ProgressCallback | None
) -> tuple[list[str], list[Damage], list[str]]:
    """The same for another track, read by itself; `number` among the video tracks."""
    problems = _Problems()
    with VideoSource(path, settings=settings, video_tracks=str(number)) as source:
        tally = Tally("verifying", source.expected_frames, progress)
        for _ in _checked_frames(source, problems, tally):
            pass
        if source.missing_seconds:
            problems.add(f"it ends {source.missing_seconds:.3f} s too early: frames are missing at its end")
        lines, damage, remarks = _conclude(source, problems)
        tally.finish()
        name = source.main.name
    return [f"{name}: {line}" for line in (*lines, *problems.all())], damage, [f"{name}: {r}" for r in remarks]


def _check_header(source: VideoSource, problems: _Problems) -> None:
    """The container's copy of the header agrees with the stream's own, as far as that is known."""
    extradata = _avshim.extradata(source.stream)
    try:
        copy = _core.parse_sequence_header(extradata) if extradata else None
    except _core.BitstreamError as error:
        problems.add(f"the container's copy of the stream's header is damaged: {error}")
        return
    own = source.first_header
    if copy is None or own is None or not own.is_keyframe:
        return
    said = own.format, own.model_hash, own.delta, own.sequence_side
    try:
        embedded = parse_model(copy.embedded_model, "it") if copy.embedded_model else None
    except NlvcError as error:
        problems.add(f"the container's copy of the stream's header has a model that cannot be used: {error}")
        return
    model = embedded.hash if embedded else copy.model_hash
    if (copy.format, copy.model_hash, copy.delta, copy.side) != said or model != copy.model_hash:
        problems.add("the container's copy of the stream's header does not say what the stream itself says")


def _checked_frames(source: VideoSource, problems: _Problems, tally: Tally) -> Iterator[av.VideoFrame | None]:
    """Every frame of the track, None for one that is damaged or missing; notes what is wrong."""
    last_seconds: Fraction | None = None
    number = 0
    try:
        for frame in source.frames():
            while source.is_nlvc and number < source.main.place:
                yield None  # a packet without a frame, or frames that are not there
                number += 1
            time_seconds = frame_seconds(frame)
            if last_seconds is not None and time_seconds <= last_seconds and not frame.is_corrupt:
                problems.add(f"frame {number}: its timestamp does not follow the frame before it")
            last_seconds = time_seconds
            if source.is_nlvc and frame.is_corrupt:
                yield None
            else:
                tally.add_frame(frame, 0)
                yield frame
            number += 1
    except NlvcError as end:
        problems.add(str(end))
    if number == 0 and not problems.found:
        problems.add("the video track has no frames")


def _compare_hashes(
    frames: Iterator[av.VideoFrame | None], hashes: FrameHashes, path: Path, problems: _Problems
) -> None:
    """Compares every frame with its line in a framemd5 file."""
    count = 0
    for number, frame in enumerate(frames):
        count += 1
        if frame is None or number >= len(hashes.digests):
            continue
        if frame_hash(frame, hashes.algorithm)[0] != hashes.digests[number]:
            problems.add(f"frame {number} differs from its {hashes.algorithm} in {path}")
    if count != len(hashes.digests):
        problems.add(f"there are {count} frames where {path} has {len(hashes.digests)}")


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
