"""Proof of what was written: decode the file again and compare it with what was read from the source."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from pynlvc.codec import DecoderSettings
from pynlvc.codec.pixel_formats import pixel_format, same_samples
from pynlvc.codec.planes import frame_checksum, memory_checksum
from pynlvc.codec.side_information import read_side_information
from pynlvc.codec.times import frame_seconds, frame_time
from pynlvc.errors import NlvcError
from pynlvc.media.ahead import Ahead
from pynlvc.media.containers import holds_pictures
from pynlvc.media.reports import ProgressCallback
from pynlvc.media.source import VideoSource
from pynlvc.media.tally import Tally

FRAMES_AHEAD = 2  # decoded frames that wait for their comparison


class SourceRecord:
    """Checksums and timestamp of every source frame: 28 bytes for each."""

    def __init__(self) -> None:
        self.samples = array("I")  # CRC-32C over the samples
        self.memory = array("I")  # and over the bits between them
        self.said = array("q")  # hash of what the frame says beside its samples
        self.pts = array("q")  # in units of time_base
        self.time_base = Fraction(0)
        self.format_name = ""

    def add(self, frame: av.VideoFrame) -> None:
        """Notes the next frame; all frames share one time base."""
        pts, self.time_base = frame_time(frame)
        self.format_name = frame.format.name
        samples, memory = _checksums(frame)
        self.samples.append(samples)
        self.memory.append(memory)
        self.said.append(_said(frame))
        self.pts.append(pts)

    def compare(self, number: int, frame: av.VideoFrame, *, exact: bool) -> Losses:
        """Compares a decoded frame with the source's of that number; `exact`: in all that frames say and hold."""
        if number >= len(self.pts):
            raise self.wrong_count(number, more=True)
        samples, memory = _checksums(frame)
        losses = Losses(
            unused=memory != self.memory[number] and frame.format.name == self.format_name,
            said=_said(frame) != self.said[number],
        )
        if samples != self.samples[number] or (exact and memory != self.memory[number]):
            raise NlvcError(f"verification failed: frame {number} differs from the source after decoding")
        if exact and losses.said:
            raise NlvcError(f"verification failed: frame {number} does not say what the source's says of itself")
        return losses

    def compare_count(self, frames: int) -> None:
        """NlvcError where fewer frames were written than read."""
        if frames < len(self.pts):
            raise self.wrong_count(frames, more=False)

    def wrong_count(self, frames: int, *, more: bool) -> NlvcError:
        """An error to raise."""
        count = f"more than {frames} frames" if more else f"{frames} frames"
        return NlvcError(f"verification failed: {count} were written, {len(self.pts)} were read")


@dataclass(frozen=True)
class Losses:
    """What a codec that only promises the samples did not keep of a frame."""

    unused: bool  # bits between the samples
    said: bool  # something that it said beside them


class ShownTimes:
    """When the frames of a written track are shown, beside their times in the source."""

    def __init__(self, written: VideoSource, record: SourceRecord, *, exact: bool) -> None:
        """`exact`: the track's times are the source's, not rounded."""
        self._record = record
        self._rounding = written.time_base + record.time_base / 2
        self._tolerance = Fraction(0) if exact else self._rounding
        self._timed = not holds_pictures(written.container)
        self._shift: Fraction | None = None

    def check(self, number: int, seconds: Fraction) -> None:
        """NlvcError where the frame is not shown at its time, or where all others moved to."""
        drift = seconds - self._record.pts[number] * self._record.time_base
        if self._shift is None:
            self._shift = drift if abs(drift) > self._rounding else Fraction(0)
        if self._timed and abs(drift - self._shift) > self._tolerance:
            raise NlvcError(
                f"verification failed: frame {number} is shown {float(drift):+.6f} s from its time in the source"
            )

    def remarks(self) -> list[str]:
        """What is worth knowing."""
        if not self._shift or not self._timed:
            return []
        return [f"the container cannot hold the source's start time: all tracks moved by {float(self._shift):+.6f} s"]


def _checksums(frame: av.VideoFrame) -> tuple[int, int]:
    """Of the samples and of all bits; the same where there are no others."""
    layout = pixel_format(frame.format.name)
    samples = frame_checksum(frame)
    more = layout.padding is not None or layout.trailing_luma(frame.width)
    return samples, memory_checksum(frame) if more else samples


def _said(frame: av.VideoFrame) -> int:
    return hash(frozenset(read_side_information(frame)[0].items()))


def read_back(
    part: Path,
    video_number: int,
    record: SourceRecord,
    stored_format: str,
    settings: DecoderSettings,
    progress: ProgressCallback | None,
) -> list[str]:
    """Decodes a video track of `part` and compares it with `record`: remarks, or NlvcError for the first difference.

    For tracks of FFmpeg's codecs; those of NLVC are proven in another way (proof.py). `stored_format`: the pixel format
    in which the samples were stored.
    """
    tally = Tally("verifying", len(record.pts), progress)
    unused_lost = said_lost = False
    with (
        VideoSource(part, settings=settings, video_tracks=str(video_number)) as written,
        Ahead(written.frames(), depth=FRAMES_AHEAD) as frames,
    ):
        shown = ShownTimes(written, record, exact=False)
        for number, frame in enumerate(frames):
            if not same_samples(frame.format.name, stored_format):
                raise NlvcError(
                    f"verification failed: this container gives {stored_format} back as {frame.format.name}"
                )
            losses = record.compare(number, frame, exact=False)
            unused_lost |= losses.unused
            said_lost |= losses.said
            shown.check(number, frame_seconds(frame))
            tally.add_frame(frame, 0)
        if written.damaged_frames:
            raise NlvcError("verification failed: FFmpeg reports damaged frames in what was written")
        codec = written.codec_name
    record.compare_count(tally.frames)
    tally.finish()
    remarks: list[str] = []
    if unused_lost:
        remarks.append(f"{codec} does not keep the unused bits of {record.format_name}")
    if said_lost:
        remarks.append(f"{codec} does not keep all that frames say beside their samples")
    return remarks + shown.remarks()
