"""One video track of a file that is being read: packets to frames, whatever they are coded with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import av
from av.video.stream import VideoStream

from pynlvc import _avshim
from pynlvc.codec import Decoder, DecoderSettings
from pynlvc.codec.damage import Damage
from pynlvc.errors import NlvcError
from pynlvc.media.continuity import Continuity
from pynlvc.media.timeline import MATROSKA_TICK, Timeline
from pynlvc.media.tracks import is_nlvc


def _tagged_seconds(tags: Mapping[str, str]) -> Fraction | None:
    """The end of a Matroska track as its DURATION tag says (hours:minutes:seconds), None without a sound tag."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", tags.get("DURATION", ""))
    return 3600 * int(found[1]) + 60 * int(found[2]) + Fraction(found[3]) if found else None


class VideoTrack:
    """Decodes NLVC by this package, all else by FFmpeg.

    Every frame comes with pts, duration (0 where nobody knows it) and time base; a frame without timestamp in the file
    follows its predecessor.
    """

    def __init__(self, stream: VideoStream, settings: DecoderSettings, *, counts_frames: bool = False) -> None:
        """`counts_frames`: see Timeline."""
        self.stream = stream
        self.is_nlvc = is_nlvc(stream)
        self.frames_read = 0
        self.damaged_frames = 0  # that FFmpeg decoded with errors and concealed
        self.damage: list[Damage] = []  # of NLVC, where the settings conceal it
        self._settings = settings
        self._next_pts = 0
        self._end_pts = 0  # where the last packet read so far ends, in units of time_base
        if self.is_nlvc:
            self._timeline = Timeline(self.time_base, counts_frames=counts_frames)
            self.continuity = Continuity(self.time_base, counts_frames=counts_frames)
            self._packets = 0
            self.restart()
        elif stream.codec_context is None:
            tag = _avshim.codec_tag(stream).decode("latin-1").strip("\0")
            raise NlvcError(f"FFmpeg has no decoder for the video track (codec tag {tag or 'unknown'!r})")
        else:
            stream.codec_context.thread_type = "AUTO"
            stream.codec_context.thread_count = settings.threads

    @property
    def place(self) -> int:
        """Number of the frame that the last NLVC packet holds, packets without a frame and missing frames counted."""
        return self._packets - 1 + self.continuity.missing

    def restart(self) -> None:
        """Forgets what was decoded: packets of another place follow."""
        if self.is_nlvc:
            self._decoder = Decoder(_avshim.extradata(self.stream), settings=self._settings)

    @property
    def name(self) -> str:
        """For messages: the track as FFmpeg counts it."""
        return f"video track {self.stream.index}"

    @property
    def time_base(self) -> Fraction:
        """Unit of the container's timestamps, in seconds."""
        return self.stream.time_base or Fraction(1, 1000)

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames per second as far as the container knows."""
        return self.stream.guessed_rate or self.stream.average_rate or self.stream.base_rate

    @property
    def codec_name(self) -> str:
        """FFmpeg's name of the codec, or "nlvc"."""
        return "nlvc" if self.is_nlvc else self.stream.codec_context.name

    @property
    def missing_seconds(self) -> float:
        """By how much the track, read to its end, is shorter than its own DURATION tag says; 0 within half a frame."""
        promised = _tagged_seconds(self.stream.metadata)
        if promised is None:
            return 0.0
        tolerance = Fraction(1, 2) / self.frame_rate if self.frame_rate else Fraction(1, 20)
        missing = promised - self._end_pts * self.time_base
        return float(missing) if missing > tolerance + 2 * MATROSKA_TICK else 0.0

    def move(self, seconds: Fraction) -> None:
        """Tells that the container had to move all its times by so much: the exact ones hold, see Timeline.keep."""
        if self.is_nlvc:
            self._timeline.keep(seconds)

    def seconds_of(self, packet: av.Packet, own_pts: int, own_base: Fraction) -> Fraction:
        """When decode() would show the frame of an NLVC packet, known already, that has this time itself."""
        return self._timeline.seconds(own_pts, own_base, packet.pts if packet.pts is not None else packet.dts)

    def decode(self, packet: av.Packet) -> list[av.VideoFrame]:
        """The frames that a packet completes; an empty packet ends the track."""
        if packet.pts is not None:
            self._end_pts = max(self._end_pts, packet.pts + (packet.duration or 0))
        if self.is_nlvc:
            frames = self._decode_nlvc(packet)
            for frame in frames:
                self._timeline.place(frame, packet.pts if packet.pts is not None else packet.dts)
        else:
            frames = packet.decode()
            for frame in frames:
                self._complete(frame)
        return frames

    def _decode_nlvc(self, packet: av.Packet) -> list[av.VideoFrame]:
        frames = self._decoder.decode(packet)
        if packet.size:
            found = self._decoder.damage
            self.damage += [
                replace(damage, frame=self._packets, position=packet.pos, track=self.stream.index) for damage in found
            ]
            self._packets += 1
            time = packet.pts if packet.pts is not None else packet.dts
            self.continuity.see(self._decoder.decoded, None if time is None else time * self.time_base)
        return frames

    def _complete(self, frame: av.VideoFrame) -> None:
        """Fills in the times that FFmpeg left out."""
        self.damaged_frames += frame.is_corrupt
        base = frame.time_base = frame.time_base or self.time_base
        if frame.pts is None:
            frame.pts = self._next_pts
        if not frame.duration and self.frame_rate:
            frame.duration = round(1 / self.frame_rate / base)
        self._next_pts = frame.pts + frame.duration
