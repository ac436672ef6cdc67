"""One video track on its way from a source to an output."""

from __future__ import annotations

from fractions import Fraction

import av

from pynlvc import _avshim
from pynlvc.codec import DecoderSettings
from pynlvc.codec.times import frame_seconds
from pynlvc.errors import NlvcError
from pynlvc.media.containers import WITHOUT_TIMES
from pynlvc.media.proof import MOST_BYTES_BESIDE, PacketProof
from pynlvc.media.readback import SourceRecord
from pynlvc.media.sinks import NlvcSink, VideoSink
from pynlvc.media.tally import frame_size
from pynlvc.media.video_track import VideoTrack


class Coding:
    """The track, where its frames go, and what was seen of them."""

    def __init__(
        self,
        track: VideoTrack,
        sink: VideoSink,
        first: av.VideoFrame,
        container: str,
        check: DecoderSettings | None = None,
        *,
        readable: bool = True,
    ) -> None:
        """`container`: FFmpeg's name of the output's. `check`: decode NLVC and compare it. `readable`: whether what was
        written can be read again."""
        self.track = track
        self.sink = sink
        self.first = first
        self.record = SourceRecord()
        self.proof: PacketProof | None = None
        if check is not None and isinstance(sink, NlvcSink):
            beside = not readable or frame_size(first).raw_bytes <= MOST_BYTES_BESIDE
            self.proof = PacketProof(self.record, sink.encoder.extradata, check, beside=beside)
        self.problems: list[str] = []
        self._container = container
        self._last_number: int | None = None

    @property
    def time_base(self) -> Fraction:
        """Unit of time for the new track, seconds: the exact one, or a frame where the container counts frames."""
        if self._container in WITHOUT_TIMES and self.track.frame_rate:
            return 1 / self.track.frame_rate
        return self.first.time_base or self.track.time_base

    def check_number(self, frame: av.VideoFrame) -> None:
        """Where the container numbers the frames instead of timing them, each needs a number of its own."""
        if self._container != "avi":
            return
        seconds = frame_seconds(frame)
        number = round(seconds / self.time_base)
        if self._last_number is not None and number <= self._last_number:
            raise NlvcError(
                f"frame {self.track.frames_read - 1}: AVI counts frames, here {1 / self.time_base} a second, and this "
                f"one at {float(seconds):.6f} s has the number of the one before: write .mkv, .nut or .mov"
            )
        self._last_number = number

    def watch_colour(self, frame: av.VideoFrame) -> None:
        """The first change of colour is worth knowing: NLVC notes it frame by frame, no container does."""
        if self.problems or _avshim.frame_color(frame) == _avshim.frame_color(self.first):
            return
        kept = "kept frame by frame" if self.sink.codec_name == "nlvc" else "not kept"
        self.problems.append(
            f"{self.track.name}: its colour description changes at frame {self.track.frames_read - 1}: {kept}, "
            "the container says that of frame 0"
        )
