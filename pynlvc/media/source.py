"""Reading a video file: frames of its main video track, whatever they are coded with, and the packets beside them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.container
from av.stream import Stream

from pynlvc import _avshim
from pynlvc.codec import Decoder, DecoderSettings
from pynlvc.codec.times import frame_seconds
from pynlvc.errors import NlvcError
from pynlvc.media.containers import ffmpeg_errors, open_input, reason
from pynlvc.media.matroska import missing_bytes
from pynlvc.media.timeline import MATROSKA_TICK, Timeline
from pynlvc.media.tracks import is_nlvc, main_video


def _tagged_seconds(tags: Mapping[str, str]) -> Fraction | None:
    """The end of a Matroska track as its DURATION tag says (hours:minutes:seconds), None without a sound tag."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", tags.get("DURATION", ""))
    return 3600 * int(found[1]) + 60 * int(found[2]) + Fraction(found[3]) if found else None


class VideoSource:
    """An open file whose main video track is decoded: NLVC by this package, all else by FFmpeg.

    Every frame comes with pts, duration (0 where nobody knows it) and time base; a frame without timestamp in the file
    follows its predecessor.
    """

    def __init__(self, path: Path, *, settings: DecoderSettings | None = None) -> None:
        self.path = path
        self.container: av.container.InputContainer = open_input(path)
        self.frames_read = 0
        self.damaged_frames = 0  # that FFmpeg decoded with errors and concealed
        try:
            self.stream = main_video(self.container, str(path))
            self.is_nlvc = is_nlvc(self.stream)
            self._settings = settings or DecoderSettings()
            if self.is_nlvc:
                self._decoder = self._new_decoder()
                self._timeline = Timeline(self.time_base)
            elif self.stream.codec_context is None:
                tag = _avshim.codec_tag(self.stream).decode("latin-1").strip("\0")
                raise NlvcError(f"{path}: FFmpeg has no decoder for the video track (codec tag {tag or 'unknown'!r})")
            else:
                self.stream.codec_context.thread_type = "AUTO"
                self.stream.codec_context.thread_count = self._settings.threads
        except BaseException:
            self.container.close()
            raise
        self._next_pts = 0
        self._end_pts = 0  # where the last packet read so far ends, in units of time_base

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; frames that were read stay valid."""
        self.container.close()

    @property
    def time_base(self) -> Fraction:
        """Unit of the container's timestamps of the video track, in seconds."""
        return self.stream.time_base or Fraction(1, 1000)

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames per second as far as the container knows."""
        return self.stream.guessed_rate or self.stream.average_rate or self.stream.base_rate

    @property
    def codec_name(self) -> str:
        """FFmpeg's name of the video codec, or "nlvc"."""
        return "nlvc" if self.is_nlvc else self.stream.codec_context.name

    @property
    def expected_frames(self) -> int | None:
        """How many frames to expect, for progress displays; None when unknown."""
        if self.stream.frames:
            return self.stream.frames
        if self.frame_rate and self.container.duration:
            return max(1, round(Fraction(self.container.duration, av.time_base) * self.frame_rate))
        return None

    @property
    def missing_seconds(self) -> float:
        """By how much the track, read to its end, is shorter than its own DURATION tag says; 0 within half a frame."""
        promised = _tagged_seconds(self.stream.metadata)
        if promised is None:
            return 0.0
        tolerance = Fraction(1, 2) / self.frame_rate if self.frame_rate else Fraction(1, 20)
        missing = promised - self._end_pts * self.time_base
        return float(missing) if missing > tolerance + 2 * MATROSKA_TICK else 0.0

    def read(self) -> Iterator[av.VideoFrame | av.Packet]:
        """The video track's frames and the other tracks' packets in file order.

        Raises NlvcError, naming the frame, when the file is damaged or cut off.
        """
        yield from self._read(tuple(self.container.streams))

    def packets(self) -> Iterator[av.Packet]:
        """The video track's packets, not decoded."""
        try:
            for packet in self.container.demux(self.stream):
                if packet.size:
                    yield packet
        except (av.error.FFmpegError, OSError) as error:
            raise NlvcError(f"{self.path}: {reason(error)}") from error

    def frames(self, on_damage: Callable[[NlvcError], None] | None = None) -> Iterator[av.VideoFrame]:
        """The video track's frames alone. Damaged NLVC packets go to `on_damage`, where given, and reading goes on."""
        for item in self._read((self.stream,), on_damage):
            if isinstance(item, av.VideoFrame):
                yield item

    def frames_from(self, seconds: Fraction) -> Iterator[av.VideoFrame]:
        """Frames from the one that is shown at `seconds` on, decoded from the keyframe before it."""
        # Container times are rounded, so a keyframe may seem to lie just before its true time: aim one unit earlier.
        aim = math.floor(seconds / self.time_base) - 1
        with ffmpeg_errors(f"{self.path}: cannot seek to {float(seconds):.3f} s"):
            self.container.seek(aim, stream=self.stream)
        if self.is_nlvc:
            self._decoder = self._new_decoder()
        shown: av.VideoFrame | None = None
        for frame in self.frames():
            started = frame_seconds(frame) <= seconds
            if shown is not None and not started:
                yield shown
                shown = None
            if started:
                shown = frame
            else:
                yield frame
        if shown is not None:
            yield shown

    def _read(
        self, streams: tuple[Stream, ...], on_damage: Callable[[NlvcError], None] | None = None
    ) -> Iterator[av.VideoFrame | av.Packet]:
        packets = self.container.demux(streams)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                if packet.stream.index != self.stream.index:
                    if packet.size:
                        yield packet
                    continue
                decoded = self._decode(packet)
            except (av.error.FFmpegError, OSError) as error:
                raise NlvcError(f"{self.path}: damaged at frame {self.frames_read}: {reason(error)}") from error
            except NlvcError as error:
                if on_damage is None:
                    raise type(error)(f"{self.path}: {error}") from None
                on_damage(error)
                continue
            for frame in decoded:
                self.frames_read += 1
                yield frame
        missing = missing_bytes(self.path)
        if missing:
            raise NlvcError(f"{self.path} is cut off: {missing} bytes are missing after frame {self.frames_read}")

    def _new_decoder(self) -> Decoder:
        return Decoder(_avshim.extradata(self.stream), settings=self._settings)

    def _decode(self, packet: av.Packet) -> list[av.VideoFrame]:
        if packet.pts is not None:
            self._end_pts = max(self._end_pts, packet.pts + (packet.duration or 0))
        if self.is_nlvc:
            frames = self._decoder.decode(packet)
            for frame in frames:
                self._timeline.place(frame, packet.pts if packet.pts is not None else packet.dts)
            return frames
        frames = packet.decode()
        for frame in frames:
            self._complete(frame)
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
