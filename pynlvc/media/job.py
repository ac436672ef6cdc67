"""A transcode while it runs: first frames, sinks, muxing, proof."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import av
import av.container
from av.stream import Stream

from pynlvc.codec import DecoderSettings, EncoderSettings
from pynlvc.codec.damage import describe_damage
from pynlvc.codec.pixel_formats import pixel_format, plain_name
from pynlvc.errors import NlvcError
from pynlvc.media.ahead import Ahead
from pynlvc.media.coding import Coding
from pynlvc.media.companions import OutputTracks, add_tracks
from pynlvc.media.containers import PICTURES, ffmpeg_errors
from pynlvc.media.descriptions import descriptions_lost
from pynlvc.media.fixity import file_sha256
from pynlvc.media.framemd5 import FrameMd5Writer
from pynlvc.media.output_file import Output
from pynlvc.media.readback import read_back
from pynlvc.media.reports import ProgressCallback, TranscodeReport
from pynlvc.media.resume import Leftover
from pynlvc.media.sinks import LosslessSink, NlvcSink, VideoSink
from pynlvc.media.sound_check import SoundCheck
from pynlvc.media.source import Item, VideoSource
from pynlvc.media.tally import FrameSize, Tally, frame_size
from pynlvc.media.video_track import VideoTrack
from pynlvc.model.store import Model, load_model

# Before every video track has shown its first frame nothing can be written: so many frames wait at most.
MAX_WAITING_FRAMES = 250
# Uncoded bytes for each byte of the model from which on it is embedded: 0.1 % of a tenth of them.
EMBEDDING_RAW_BYTES = 10_000
FRAMES_AHEAD = 4  # frames (or packets of other tracks) that wait between two stages; bounds the memory


@dataclass(frozen=True)
class CodedFrame:
    """A frame on its way to the file: its packets."""

    track: VideoTrack
    size: FrameSize
    packets: Sequence[av.Packet]


class Job:
    """A transcode while it runs."""

    def __init__(
        self,
        source: VideoSource,
        codec: str | None,
        settings: EncoderSettings,
        decoder_settings: DecoderSettings,
        output: Output,
        verify: bool,
        progress: ProgressCallback | None,
        former: Path | None,
        hashes: Path | None,
        fitted: Model | None,
    ) -> None:
        """`former`: what an earlier run left; `hashes`: where the MD5 of frames go; `fitted`: to the main track."""
        self._source = source
        self._former = former
        self._hashes = None if hashes is None else FrameMd5Writer(hashes, source)
        self._sha256: str | None = None
        self._codec = codec
        self._fitted = fitted
        self._settings = settings
        self._reader_settings = reader_settings(settings, decoder_settings)
        self._output = output
        self._verify = verify
        self._progress = progress
        self._codings: dict[int, Coding] = {}
        self._sounds = SoundCheck()
        self._warnings: list[str] = []
        self._problems: list[str] = []
        self._tally = Tally("coding", source.expected_frames, progress)
        self._verified = False
        self._verify_seconds = 0.0

    def run(self, target: Path) -> None:
        """Codes, writes, checks."""
        output = self._output
        first, items = self._first_frames()
        for index, frame in first.items():
            track = self._source.tracks[index]
            with _named(track):
                sink = self._make_sink(track, frame)
            check = self._reader_settings if self._verify else None
            readable = output.readable is not None
            self._codings[index] = Coding(track, sink, frame, output.container, check, readable=readable)
        with (
            ffmpeg_errors(f"cannot write {target}"),
            av.open(output.location, "w", format=output.container, container_options=dict(output.options)) as container,
        ):
            adders = {
                index: partial(coding.sink.add_track, container, coding.track.stream, coding.time_base)
                for index, coding in self._codings.items()
            }
            tracks = add_tracks(container, self._source, adders)
            self._reuse(tracks)
            self._warnings += tracks.warnings
            self._code(items, container, tracks)
        self._tally.finish()
        self.coding_seconds = self._tally.seconds
        started = time.monotonic()
        if self._verify and output.readable is not None:
            self._read_back(output.readable, tracks)
        self._verified = self._verify and (output.readable is not None or self._codec == "nlvc")
        if output.readable is not None and output.readable.is_file():
            self._sha256 = file_sha256(output.readable)
        self._verify_seconds = time.monotonic() - started
        self._conclude()

    def _reuse(self, tracks: OutputTracks) -> None:
        """Lets sinks take what an interrupted run coded already."""
        for index, coding in self._codings.items():
            if self._former is not None and isinstance(coding.sink, NlvcSink):
                number = _video_number(self._source, tracks, index)
                coding.sink.reuse(Leftover(self._former, number, coding.sink.encoder, self._reader_settings))

    def _first_frames(self) -> tuple[dict[int, av.VideoFrame], Iterator[Item]]:
        """The first frame of every track, and all items of the file from its beginning: they say what is needed."""
        items = self._source.read()
        waiting: list[Item] = []
        first: dict[int, av.VideoFrame] = {}
        frames = 0
        for item in items:
            waiting.append(item)
            if isinstance(item, tuple):
                frames += 1
                first.setdefault(item[0].stream.index, item[1])
                if len(first) == len(self._source.tracks):
                    break
                if frames == MAX_WAITING_FRAMES:
                    late = [t.name for index, t in self._source.tracks.items() if index not in first]
                    raise NlvcError(
                        f"{self._source.path}: {' and '.join(late)} starts more than {frames} frames after the others: "
                        "code it by itself (--video-tracks), or copy it"
                    )
        for index, track in list(self._source.tracks.items()):
            if index not in first:
                if track is self._source.main:
                    raise NlvcError(f"{self._source.path} has a video track without frames")
                self._warnings.append(f"{track.name} has no frames and is not kept")
        return first, chain(waiting, items)

    def _make_sink(self, track: VideoTrack, first: av.VideoFrame) -> VideoSink:
        time_base = first.time_base or track.time_base
        if self._codec == "nlvc":
            model = self._fitted if track is self._source.main else None
            return NlvcSink(first, time_base, self._encoder_settings(track, first), model=model)
        return LosslessSink(self._codec, first, time_base, track.frame_rate, track.stream)

    def _encoder_settings(self, track: VideoTrack, first: av.VideoFrame) -> EncoderSettings:
        """Where nobody said so, the model is embedded if it is a small part even of a file that shrinks much."""
        if self._settings.embed_model is not None:
            return self._settings
        frames = self._source.expected_frames if track is self._source.main else None
        raw_bytes = (frames or 0) * pixel_format(first.format.name).frame_bytes(first.width, first.height)
        model_bytes = len(load_model(self._settings.model).data)
        return replace(self._settings, embed_model=raw_bytes >= EMBEDDING_RAW_BYTES * model_bytes)

    def _code(self, items: Iterator[Item], container: av.container.OutputContainer, tracks: OutputTracks) -> None:
        """Frames through their sinks, other packets as they are. Reading, coding, proving and writing run side by
        side."""
        with (
            Ahead(self._watched(items), depth=FRAMES_AHEAD) as read,
            Ahead(self._coded(iter(read)), depth=FRAMES_AHEAD) as coded,
            Ahead(self._proven(iter(coded)), depth=FRAMES_AHEAD) as proven,
        ):
            for item in proven:
                if isinstance(item, CodedFrame):
                    index = item.track.stream.index
                    self._tally.add(item.size, _mux(container, tracks.video[index], item.packets))
                elif item.stream.index in tracks.copied and not item.is_discard:
                    if self._verify:
                        self._sounds.check(item)
                    item.stream = tracks.copied[item.stream.index]
                    container.mux(item)
        for index, coding in self._codings.items():
            self._tally.coded_bytes += _mux(container, tracks.video[index], self._last_packets(coding))
        if self._hashes is not None:
            self._hashes.close()

    def _last_packets(self, coding: Coding) -> Sequence[av.Packet]:
        packets = coding.sink.encode(None)
        if coding.proof is not None:
            with _named(coding.track):
                coding.proof.prove(packets)
                coding.proof.end()
        return packets

    def _watched(self, items: Iterator[Item]) -> Iterator[Item]:
        """The same items; frames are looked at as they are read."""
        frames = 0
        for item in items:
            if isinstance(item, tuple):
                track, frame = item
                coding = self._codings[track.stream.index]
                if self._verify:
                    coding.record.add(frame)
                if self._hashes is not None and track is self._source.main:
                    self._hashes.add(frame)
                frames += 1
                if self._output.options.get("update") and frames > 1:
                    raise NlvcError("the output holds one picture: for more, name a sequence such as out_%04d.png")
                with _named(track):
                    coding.check_number(frame)
                coding.watch_colour(frame)
            yield item

    def _coded(self, items: Iterator[Item]) -> Iterator[CodedFrame | av.Packet]:
        """Frames with the packets that their sink released, other packets as they are."""
        for item in items:
            if isinstance(item, tuple):
                track, frame = item
                with _named(track):
                    packets = self._codings[track.stream.index].sink.encode(frame)
                yield CodedFrame(track, frame_size(frame), packets)
            else:
                yield item

    def _proven(self, items: Iterator[CodedFrame | av.Packet]) -> Iterator[CodedFrame | av.Packet]:
        """The same items; what can be proven of a frame's packets is proven before they go on."""
        for item in items:
            if isinstance(item, CodedFrame):
                proof = self._codings[item.track.stream.index].proof
                if proof is not None:
                    with _named(item.track):
                        proof.prove(item.packets)
            yield item

    def _read_back(self, written: Path, tracks: OutputTracks) -> None:
        if self._output.container != PICTURES:
            self._warnings += descriptions_lost(self._source.container, written, tracks.order)
        for index, coding in self._codings.items():
            number = _video_number(self._source, tracks, index)
            if coding.proof is not None:
                self._warnings += coding.proof.show(written, number, self._progress)
                continue
            self._warnings += read_back(
                written, number, coding.record, coding.sink.stored_format, self._reader_settings, self._progress
            )

    def _conclude(self) -> None:
        """What is worth knowing about the whole run."""
        source = self._source
        for coding in self._codings.values():
            self._problems += coding.problems
            name, stored = coding.first.format.name, coding.sink.stored_format
            for what in sorted(coding.sink.not_kept):
                self._warnings.append(f"{coding.track.name}: {what} of its frames is not kept")
            if plain_name(stored) != plain_name(name):
                self._warnings.append(f"{coding.track.name}: the samples of {name} are stored as {stored}")
        for track in source.tracks.values():
            if track.is_nlvc:
                found = [*describe_damage(track.damage), *track.continuity.problems]
                self._problems += [f"{track.name}: {problem}" for problem in found]
                self._warnings += [f"{track.name}: {remark}" for remark in track.continuity.remarks]
        if source.damaged_frames:
            self._problems.append(f"FFmpeg found {source.damaged_frames} frames of the source damaged and mended them")
        if source.missing_seconds:
            self._warnings.append(
                f"the source's video ends {source.missing_seconds:.3f} s earlier than its own tag says"
            )
        self._problems += self._sounds.problems()

    def close(self) -> None:
        """Frees the encoders."""
        for coding in self._codings.values():
            coding.sink.close()
        if self._hashes is not None:
            self._hashes.close()

    def report(self, source: Path, target: Path) -> TranscodeReport:
        """What was done."""
        main = next(iter(self._codings.values()))
        encoder = main.sink.encoder if isinstance(main.sink, NlvcSink) else None
        return TranscodeReport(
            source=source,
            target=target,
            codec=main.sink.codec_name,
            model=encoder.model_name if encoder else None,
            model_hash=encoder.model_hash if encoder else None,
            frames=self._tally.frames,
            width=main.first.width,
            height=main.first.height,
            pix_fmt=main.first.format.name,
            pixels=self._tally.pixels,
            raw_bytes=self._tally.raw_bytes,
            coded_bytes=self._tally.coded_bytes,
            seconds=self.coding_seconds,
            verified=self._verified,
            verify_seconds=self._verify_seconds,
            warnings=tuple(self._warnings),
            problems=tuple(self._problems),
            sha256=self._sha256,
            reused_frames=sum(c.sink.reused_frames for c in self._codings.values() if isinstance(c.sink, NlvcSink)),
        )


@contextmanager
def _named(track: VideoTrack) -> Iterator[None]:
    """Puts the track's name before errors."""
    try:
        yield
    except NlvcError as error:
        raise type(error)(f"{track.name}: {error}") from error


def _mux(output: av.container.OutputContainer, track: Stream, packets: Sequence[av.Packet]) -> int:
    """Writes packets of a video track; returns their bytes."""
    size = 0
    for packet in packets:
        packet.stream = track
        size += packet.size
        output.mux(packet)
    return size


def _video_number(source: VideoSource, tracks: OutputTracks, index: int) -> int:
    """The number of a coded track among the output's video tracks."""
    return [i for i in tracks.order if source.container.streams[i].type == "video"].index(index)


def reader_settings(settings: EncoderSettings, decoder_settings: DecoderSettings) -> DecoderSettings:
    """Decoder settings that know the model file that the encoder was given."""
    if not settings.model.endswith(".nlvm"):
        return decoder_settings
    files = (*decoder_settings.model_files, Path(settings.model))
    return DecoderSettings(threads=decoder_settings.threads, model_files=files)
