"""Proof of what was written: decode the file again and compare it with what was read from the source."""

from __future__ import annotations

from array import array
from fractions import Fraction
from itertools import zip_longest
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

    `stored_format`: the pixel format in which the samples were stored.
    """
    tally = Tally("verifying", len(record.pts), progress)
    shift: Fraction | None = None
    remarks: list[str] = []
    with (
        VideoSource(part, settings=settings, video_tracks=str(video_number)) as written,
        Ahead(written.frames(), depth=FRAMES_AHEAD) as frames,
    ):
        exact = written.is_nlvc
        timed = not holds_pictures(written.container)
        tolerance = written.time_base + record.time_base / 2
        unused_lost = said_lost = False
        expected = zip(record.samples, record.memory, record.said, record.pts, strict=True)
        for number, (frame, wanted) in enumerate(zip_longest(frames, expected)):
            if frame is None or wanted is None:
                count = f"{number} frames" if frame is None else f"more than {number} frames"
                raise NlvcError(f"verification failed: {count} were written, {len(record.pts)} were read")
            samples, memory, said, pts = wanted
            if not same_samples(frame.format.name, stored_format):
                raise NlvcError(
                    f"verification failed: this container gives {stored_format} back as {frame.format.name}"
                )
            found_samples, found_memory = _checksums(frame)
            if found_samples != samples or (exact and found_memory != memory):
                raise NlvcError(f"verification failed: frame {number} differs from the source after decoding")
            unused_lost |= found_memory != memory and frame.format.name == record.format_name
            if exact and _said(frame) != said:
                raise NlvcError(f"verification failed: frame {number} does not say what the source's says of itself")
            said_lost |= _said(frame) != said
            drift = frame_seconds(frame) - pts * record.time_base
            if shift is None:
                shift = drift if abs(drift) > tolerance else Fraction(0)
            if timed and abs(drift - shift) > (0 if exact else tolerance):
                raise NlvcError(
                    f"verification failed: frame {number} is shown {float(drift):+.6f} s from its time in the source"
                )
            tally.add_frame(frame, 0)
        if written.damaged_frames:
            raise NlvcError("verification failed: FFmpeg reports damaged frames in what was written")
        codec = written.codec_name
    tally.finish()
    if unused_lost:
        remarks.append(f"{codec} does not keep the unused bits of {record.format_name}")
    if said_lost:
        remarks.append(f"{codec} does not keep all that frames say beside their samples")
    if shift and timed:
        remarks.append(f"the container cannot hold the source's start time: all tracks moved by {float(shift):+.6f} s")
    return remarks
