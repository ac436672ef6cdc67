"""A whole file from one video codec to another: NLVC in either direction, everything else copied."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import av.container
from av.stream import Stream

from pynlvc.codec import DecoderSettings, EncoderSettings
from pynlvc.errors import NlvcError
from pynlvc.media.companions import OutputTracks, add_tracks
from pynlvc.media.containers import WITHOUT_TIMES, container_format, container_options, ffmpeg_errors
from pynlvc.media.output_file import check_target, written_beside
from pynlvc.media.readback import SourceRecord, read_back
from pynlvc.media.reports import ProgressCallback, TranscodeReport
from pynlvc.media.sinks import LosslessSink, NlvcSink, VideoSink
from pynlvc.media.source import VideoSource
from pynlvc.media.tally import Tally


def transcode(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    codec: str | None = None,
    settings: EncoderSettings | None = None,
    decoder_settings: DecoderSettings | None = None,
    verify: bool = True,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
) -> TranscodeReport:
    """Codes the main video track of `source` anew into `target` and copies everything else.

    `codec`: "nlvc" or one of FFmpeg's lossless encoders; None turns NLVC into FFV1 (or, where FFV1 lacks the pixel
    format, the next encoder that has it) and everything else into NLVC. `target` appears under its name only when it
    is complete and, with `verify`, when every frame was decoded from it again and found equal to the source's.

    Raises NlvcError (UsageError where the request itself is wrong); nothing is left behind then.
    """
    source_path, target_path = Path(source), Path(target)
    settings = settings or EncoderSettings()
    decoder_settings = decoder_settings or DecoderSettings()
    check_target(target_path, source_path, overwrite=overwrite)
    with VideoSource(source_path, settings=decoder_settings) as opened:
        if codec is None and not opened.is_nlvc:
            codec = "nlvc"
        container = container_format(target_path, for_nlvc=codec == "nlvc")
        record = SourceRecord() if verify else None
        first, items = _first_frame(opened)
        sink = _make_sink(codec, first, opened, settings)
        track_base = _track_time_base(container, first, opened)
        try:
            with written_beside(target_path) as part:
                tally = Tally("coding", opened.expected_frames, progress)
                with (
                    ffmpeg_errors(f"cannot write {target_path}"),
                    av.open(
                        os.fspath(part), "w", format=container, container_options=container_options(container)
                    ) as out,
                ):
                    tracks = add_tracks(out, opened, lambda: sink.add_track(out, opened.stream, track_base))
                    _code(items, sink, out, tracks, tally, record)
                seconds = tally.seconds
                warnings = list(tracks.warnings)
                started = time.monotonic()
                if record is not None:
                    reader = _reader_settings(settings, decoder_settings)
                    warnings += read_back(part, record, reader, progress)
                verify_seconds = time.monotonic() - started
        finally:
            sink.close()
        if opened.damaged_frames:
            warnings.append(f"FFmpeg found {opened.damaged_frames} frames of the source damaged and mended them")
        if opened.missing_seconds:
            warnings.append(f"the source's video ends {opened.missing_seconds:.3f} s earlier than its own tag says")
    encoder = sink.encoder if isinstance(sink, NlvcSink) else None
    return TranscodeReport(
        source=source_path,
        target=target_path,
        codec=sink.codec_name,
        model=encoder.model_name if encoder else None,
        model_hash=encoder.model_hash if encoder else None,
        frames=tally.frames,
        width=first.width,
        height=first.height,
        pix_fmt=first.format.name,
        raw_bytes=tally.raw_bytes,
        coded_bytes=tally.coded_bytes,
        seconds=seconds,
        verified=verify,
        verify_seconds=verify_seconds,
        warnings=tuple(warnings),
    )


def _first_frame(source: VideoSource) -> tuple[av.VideoFrame, Iterator[av.VideoFrame | av.Packet]]:
    """The first frame, and all items of the file from its beginning: the frame says what encoder is needed."""
    items = source.read()
    before: list[av.VideoFrame | av.Packet] = []
    for item in items:
        before.append(item)
        if isinstance(item, av.VideoFrame):
            return item, chain(before, items)
    raise NlvcError(f"{source.path} has a video track without frames")


def _track_time_base(container: str, first: av.VideoFrame, source: VideoSource) -> Fraction:
    """Unit of time for the new track, seconds: the exact one, or a frame where the container counts frames."""
    if container in WITHOUT_TIMES and source.frame_rate:
        return 1 / source.frame_rate
    return first.time_base or source.time_base


def _make_sink(codec: str | None, first: av.VideoFrame, source: VideoSource, settings: EncoderSettings) -> VideoSink:
    time_base = first.time_base or source.time_base
    if codec == "nlvc":
        return NlvcSink(first, time_base, settings)
    return LosslessSink(codec, first, time_base, source.frame_rate, source.stream)


def _code(
    items: Iterator[av.VideoFrame | av.Packet],
    sink: VideoSink,
    output: av.container.OutputContainer,
    tracks: OutputTracks,
    tally: Tally,
    record: SourceRecord | None,
) -> None:
    """The loop: frames through the sink, other packets as they are."""
    for item in items:
        if isinstance(item, av.VideoFrame):
            if record is not None:
                record.add(item)
            tally.add_frame(item, _mux(output, tracks.video, sink.encode(item)))
        elif item.stream.index in tracks.copied and not item.is_discard:
            item.stream = tracks.copied[item.stream.index]
            output.mux(item)
    tally.coded_bytes += _mux(output, tracks.video, sink.encode(None))
    tally.finish()


def _mux(output: av.container.OutputContainer, track: Stream, packets: Sequence[av.Packet]) -> int:
    """Writes packets of the video track; returns their bytes."""
    size = 0
    for packet in packets:
        packet.stream = track
        size += packet.size
        output.mux(packet)
    return size


def _reader_settings(settings: EncoderSettings, decoder_settings: DecoderSettings) -> DecoderSettings:
    """Decoder settings that know the model file that the encoder was given."""
    if not settings.model.endswith(".nlvm"):
        return decoder_settings
    files = (*decoder_settings.model_files, Path(settings.model))
    return DecoderSettings(threads=decoder_settings.threads, model_files=files)
