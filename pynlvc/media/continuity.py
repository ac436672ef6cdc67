"""Is anything missing between the packets of an NLVC track? docs/bitstream.md §9.3.

Every packet is numbered and carries its own time. A number that jumps means that frames were lost, or that somebody cut
and joined pieces without coding them again; then the container has given a piece new times, and so tells the two apart.
"""

from __future__ import annotations

from fractions import Fraction

from pynlvc.codec.damage import Decoded
from pynlvc.media.timeline import MATROSKA_TICK


class Continuity:
    """Watches the packets of a track in order."""

    def __init__(self, container_time_base: Fraction, *, counts_frames: bool) -> None:
        """`counts_frames`: the container numbers frames instead of timing them, and so explains nothing."""
        self.problems: list[str] = []  # each names its frame
        self.remarks: list[str] = []
        self.missing = 0  # frames, as far as the numbers tell
        self._counts_frames = counts_frames
        self._tolerance = 2 * max(container_time_base, MATROSKA_TICK)
        self._packets = 0
        self._expected: int | None = None  # number of the next frame since the beginning of the stream
        self._keyframe = 0  # the last keyframe's
        self._drift: Fraction | None = None  # container's time less the stream's own, seconds

    def see(self, decoded: Decoded | None, container_seconds: Fraction | None) -> None:
        """The next packet; `decoded` is None where its header is damaged."""
        frame = self._packets
        self._packets += 1
        if decoded is None:
            self._expected = None if self._expected is None else self._expected + 1
            return
        if decoded.is_keyframe:
            self._see_keyframe(decoded, frame, self._drift_of(decoded, container_seconds))
        else:
            self._see_time(frame, self._drift_of(decoded, container_seconds))
            number = self._keyframe + decoded.number
            self.missing += 0 if self._expected is None else max(0, number - self._expected)
            self._expected = number + 1

    def _drift_of(self, decoded: Decoded, container_seconds: Fraction | None) -> Fraction | None:
        if decoded.seconds is None or container_seconds is None or self._counts_frames:
            return None
        return container_seconds - decoded.seconds

    def _see_keyframe(self, decoded: Decoded, frame: int, drift: Fraction | None) -> None:
        former = self._drift if frame > 0 else Fraction(0)
        if decoded.number == (self._expected or 0):
            self._see_time(frame, drift)
        else:
            self._judge(frame, decoded.number, explained=self._differ(drift, former))
            self._drift = drift if drift is not None else self._drift
        self._keyframe = decoded.number
        self._expected = decoded.number + 1

    def _see_time(self, frame: int, drift: Fraction | None) -> None:
        """Within a stream both clocks go alike."""
        if drift is None:
            return
        if self._drift is not None and self._differ(drift, self._drift):
            self.problems.append(
                f"frame {frame}: the container's time is {float(drift - self._drift):+.3f} s from the stream's own"
            )
        self._drift = drift

    def _differ(self, drift: Fraction | None, former: Fraction | None) -> bool:
        return drift is not None and former is not None and abs(drift - former) > self._tolerance

    def _judge(self, frame: int, number: int, *, explained: bool) -> None:
        """A keyframe does not have the number that continues the stream."""
        if self._expected is None:
            if explained or self._counts_frames:
                self.remarks.append(f"the file was cut: it begins with frame {number} of its stream")
            else:
                self.missing += number
                self.problems.append(f"frame {frame}: the {number} frames before it are missing")
        elif number == 0:
            self.remarks.append(f"another stream begins at frame {frame}")
        elif explained:
            self.remarks.append(
                f"pieces were joined at frame {frame}: frame {number} of its stream follows frame {self._expected - 1}"
            )
        elif number > self._expected:
            self.missing += number - self._expected
            self.problems.append(f"frame {frame}: the {number - self._expected} frames before it are missing")
        else:
            self.problems.append(
                f"frame {frame}: it is frame {number} of the stream and follows frame {self._expected - 1}: frames are "
                "repeated or in the wrong order"
            )
