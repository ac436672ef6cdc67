"""Reading a media file: frames of its video tracks and the packets beside them, in file order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.container
from av.stream import Stream
from av.video.stream import VideoStream

from pynlvc import _core
from pynlvc.codec import DecoderSettings
from pynlvc.codec.times import frame_seconds
from pynlvc.errors import NlvcError, UsageError
from pynlvc.media.containers import STANDARD_STREAM, WITHOUT_TIMES, ffmpeg_errors, open_input, reason
from pynlvc.media.matroska import missing_bytes
from pynlvc.media.timeline import MATROSKA_TICK
from pynlvc.media.tracks import is_cover, is_nlvc, main_video
from pynlvc.media.video_track import VideoTrack

Item = tuple[VideoTrack, av.VideoFrame] | av.Packet


def chosen_tracks(container: av.container.InputContainer, name: str, choice: str | None) -> list[VideoStream]:
    """The video tracks that `choice` means, the main one first: "main", "all", or numbers among the video tracks from 0
    on, separated by commas; None: the main one, and all of NLVC if it is of NLVC."""
    main = main_video(container, name)
    videos = [stream for stream in container.streams.video if not is_cover(stream)]
    if choice == "main":
        return [main]
    if choice == "all":
        return videos
    if choice is None:
        return [stream for stream in videos if stream is main or (is_nlvc(main) and is_nlvc(stream))]
    try:
        numbers = sorted({int(word) for word in choice.split(",")})
        if numbers[0] < 0:
            raise ValueError
        return [videos[number] for number in numbers]
    except (ValueError, IndexError):
        raise UsageError(
            f"video tracks {choice!r}: say main, all, or numbers from 0 to {len(videos) - 1} separated by commas"
        ) from None


class VideoSource:
    """An open file of which one or more video tracks are decoded; the first of them is the main one."""

    def __init__(
        self,
        path: Path,
        *,
        settings: DecoderSettings | None = None,
        video_tracks: str | None = "main",
        frame_rate: Fraction | None = None,
    ) -> None:
        self.path = path
        self.container: av.container.InputContainer = open_input(path, frame_rate=frame_rate)
        self.first_header: _core.PacketInfo | None = (
            None  # of the first packet of an NLVC track, once reading has begun
        )
        self.moved = Fraction(0)  # seconds by which the container had to move all tracks, to be taken back
        try:
            self.tracks: dict[int, VideoTrack] = {}
            counts_frames = self.container.format.name in WITHOUT_TIMES
            for stream in chosen_tracks(self.container, str(path), video_tracks):
                track = VideoTrack(stream, settings or DecoderSettings(), counts_frames=counts_frames)
                self.tracks[stream.index] = track
            self.main = next(iter(self.tracks.values()))
        except NlvcError as error:
            self.container.close()
            raise type(error)(f"{path}: {error}") if str(path) not in str(error) else error from None
        except BaseException:
            self.container.close()
            raise
        self._started = False

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
    def stream(self) -> VideoStream:
        """PyAV's main video track."""
        return self.main.stream

    @property
    def further_nlvc(self) -> list[int]:
        """Numbers, among the video tracks, of those of NLVC beside the main one."""
        videos = [stream for stream in self.container.streams.video if not is_cover(stream)]
        return [n for n, stream in enumerate(videos) if is_nlvc(stream) and stream.index != self.stream.index]

    @property
    def is_nlvc(self) -> bool:
        """Whether the main video track is of NLVC."""
        return self.main.is_nlvc

    @property
    def time_base(self) -> Fraction:
        """Unit of the container's timestamps of the main video track, in seconds."""
        return self.main.time_base

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames per second as far as the container knows."""
        return self.main.frame_rate

    @property
    def codec_name(self) -> str:
        """FFmpeg's name of the main video track's codec, or "nlvc"."""
        return self.main.codec_name

    @property
    def frames_read(self) -> int:
        """Of the main video track."""
        return self.main.frames_read

    @property
    def damaged_frames(self) -> int:
        """Frames of all tracks that FFmpeg decoded with errors and concealed."""
        return sum(track.damaged_frames for track in self.tracks.values())

    @property
    def missing_seconds(self) -> float:
        """See VideoTrack.missing_seconds."""
        return self.main.missing_seconds

    @property
    def expected_frames(self) -> int | None:
        """How many frames of the main track to expect, for progress displays; None when unknown."""
        if self.stream.frames:
            return self.stream.frames
        if self.frame_rate and self.container.duration:
            return max(1, round(Fraction(self.container.duration, av.time_base) * self.frame_rate))
        return None

    def read(self) -> Iterator[Item]:
        """The frames of all chosen video tracks and the other tracks' packets in file order.

        Raises NlvcError, naming track and frame, when the file is damaged or cut off.
        """
        yield from self._read(tuple(self.container.streams))

    def packets(self) -> Iterator[av.Packet]:
        """The main video track's packets, not decoded."""
        try:
            for packet in self.container.demux(self.stream):
                if packet.size:
                    yield packet
        except (av.error.FFmpegError, OSError) as error:
            raise NlvcError(f"{self.path}: {reason(error)}") from error

    def whole_packets(self) -> Iterator[av.Packet]:
        """The same as read() sees them: the track knows their times, and a file that is cut off is an error."""
        self._start()
        yield from self.packets()
        self._check_end()

    def frames(self) -> Iterator[av.VideoFrame]:
        """The main track's frames alone."""
        for item in self._read((self.stream,)):
            if isinstance(item, tuple):
                yield item[1]

    def frames_from(self, seconds: Fraction) -> Iterator[av.VideoFrame]:
        """Frames from the one that is shown at `seconds` on, decoded from the keyframe before it."""
        self._start()
        # Container times are rounded, so a keyframe may seem to lie just before its true time: aim one unit earlier.
        aim = math.floor((seconds + self.moved) / self.time_base) - 1
        with ffmpeg_errors(f"{self.path}: cannot seek to {float(seconds):.3f} s"):
            self.container.seek(aim, stream=self.stream)
        self.main.restart()
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

    def _read(self, streams: tuple[Stream, ...]) -> Iterator[Item]:
        self._start()
        packets = self.container.demux(streams)
        track = self.main
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                if packet.stream.index not in self.tracks:
                    if packet.size:
                        self._move_back(packet)
                        yield packet
                    continue
                track = self.tracks[packet.stream.index]
                decoded = track.decode(packet)
            except (av.error.FFmpegError, OSError) as error:
                raise NlvcError(
                    f"{self.path}: {track.name} is damaged at frame {track.frames_read}: {reason(error)}"
                ) from error
            except NlvcError as error:
                raise type(error)(f"{self.path}: {track.name}: {error}") from None
            for frame in decoded:
                track.frames_read += 1
                yield track, frame
        self._check_end()

    def _check_end(self) -> None:
        missing = missing_bytes(self.path)
        if missing:
            raise NlvcError(f"{self.path} is cut off: {missing} bytes are missing after frame {self.frames_read}")

    def _start(self) -> None:
        """Once: finds out whether the container, unable to hold times before zero, moved all tracks."""
        if self._started or not self.is_nlvc or str(self.path) == STANDARD_STREAM:
            return
        self._started = True
        with ffmpeg_errors(f"cannot read {self.path}"), open_input(self.path) as again:
            first = next((p for p in again.demux(again.streams[self.stream.index]) if p.size), None)
        start = Fraction(self.container.start_time or 0, av.time_base)
        try:
            header = None if first is None else _core.parse_packet(first)
        except _core.BitstreamError:
            return  # reading the frames will tell
        self.first_header = header
        if header is None or first is None or first.pts is None or abs(start) > MATROSKA_TICK:
            return
        if header.format is None or header.pts_difference >= 0:
            return
        own = header.pts_difference * Fraction(*header.format.time_base)
        self.moved = max(Fraction(0), first.pts * self.time_base - own)
        for track in self.tracks.values():
            track.move(self.moved)

    def _move_back(self, packet: av.Packet) -> None:
        if not self.moved or packet.time_base is None:
            return
        ticks = round(self.moved / packet.time_base)
        if packet.pts is not None:
            packet.pts -= ticks
        if packet.dts is not None:
            packet.dts -= ticks
