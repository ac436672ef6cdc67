"""Proof of what was written: decode the file again and compare it with what was read from the source."""

from __future__ import annotations

from array import array
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import av

from pynlvc.codec import DecoderSettings
from pynlvc.codec.pixel_formats import plain_name
from pynlvc.codec.planes import memory_checksum
from pynlvc.codec.times import frame_seconds, frame_time
from pynlvc.errors import NlvcError
from pynlvc.media.reports import ProgressCallback
from pynlvc.media.source import VideoSource
from pynlvc.media.tally import Tally


class SourceRecord:
    """Checksum and timestamp of every source frame: 12 bytes for each."""

    def __init__(self) -> None:
        self.checksums = array("I")  # CRC-32C over the samples and the bits between them
        self.pts = array("q")  # in units of time_base
        self.time_base = Fraction(0)
        self.format_name = ""

    def add(self, frame: av.VideoFrame) -> None:
        """Notes the next frame; all frames share one time base."""
        pts, self.time_base = frame_time(frame)
        self.format_name = plain_name(frame.format.name)
        self.checksums.append(memory_checksum(frame))
        self.pts.append(pts)


def read_back(
    part: Path, record: SourceRecord, settings: DecoderSettings, progress: ProgressCallback | None
) -> list[str]:
    """Decodes all of `part` and compares it with `record`: remarks, or NlvcError for the first difference."""
    tally = Tally("verifying", len(record.pts), progress)
    shift: Fraction | None = None
    with VideoSource(part, settings=settings) as written:
        exact = written.is_nlvc
        tolerance = written.time_base + record.time_base / 2
        expected = zip(record.checksums, record.pts, strict=True)
        for number, (frame, wanted) in enumerate(zip_longest(written.frames(), expected)):
            if frame is None or wanted is None:
                count = f"{number} frames" if frame is None else f"more than {number} frames"
                raise NlvcError(f"verification failed: {count} were written, {len(record.pts)} were read")
            checksum, pts = wanted
            if plain_name(frame.format.name) != record.format_name:
                raise NlvcError(
                    f"verification failed: this container gives {record.format_name} back as {frame.format.name}"
                )
            if memory_checksum(frame) != checksum:
                raise NlvcError(f"verification failed: frame {number} differs from the source after decoding")
            drift = frame_seconds(frame) - pts * record.time_base
            if shift is None:
                shift = drift if abs(drift) > tolerance else Fraction(0)
            if abs(drift - shift) > (0 if exact else tolerance):
                raise NlvcError(
                    f"verification failed: frame {number} is shown {float(drift):+.6f} s from its time in the source"
                )
            tally.add_frame(frame, 0)
        if written.damaged_frames:
            raise NlvcError("verification failed: FFmpeg reports damaged frames in what was written")
    tally.finish()
    if shift:
        return [f"the container cannot hold the source's start time: all tracks moved by {float(shift):+.6f} s"]
    return []
