"""Everything in a file that is not a coded video track: copied, or named when the container cannot hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import av
import av.container
from av.stream import Stream

from pynlvc.errors import NlvcError
from pynlvc.media.containers import PICTURES, STANDARD_STREAM, WITH_ATTACHMENTS, ffmpeg_errors, open_input
from pynlvc.media.source import VideoSource
from pynlvc.media.tracks import add_copied_track, is_cover, kept_tags

COVER_TYPES = {"png": "image/png", "mjpeg": "image/jpeg", "gif": "image/gif", "bmp": "image/bmp", "webp": "image/webp"}


@dataclass
class OutputTracks:
    """The output's tracks by the index of the input track that they come from."""

    video: dict[int, Stream] = field(default_factory=dict)
    copied: dict[int, Stream] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)  # the input's indices of both in the output's order
    warnings: list[str] = field(default_factory=list)  # what could not be kept


def add_tracks(
    output: av.container.OutputContainer, source: VideoSource, add_video: Mapping[int, Callable[[], Stream]]
) -> OutputTracks:
    """Sets up all tracks in the input's order, with chapters, tags, attachments and cover art.

    `add_video` makes the successors of the source's video tracks that are coded anew, by index.
    """
    output.metadata.update(kept_tags(source.container.metadata))
    tracks = OutputTracks()
    for stream in source.container.streams:
        try:
            if stream.index in add_video:
                tracks.video[stream.index] = add_video[stream.index]()
                tracks.order.append(stream.index)
            elif output.format.name == PICTURES:
                raise NlvcError("pictures hold one video track and nothing else")
            elif is_cover(stream) or stream.type == "attachment":
                _add_attachment(output, stream, source)
            elif stream.type in ("video", "audio", "subtitle"):
                tracks.copied[stream.index] = add_copied_track(output, stream)
                tracks.order.append(stream.index)
            else:
                raise NlvcError("FFmpeg cannot write such tracks")
        except NlvcError as error:
            if stream.index in add_video:
                raise
            tracks.warnings.append(f"{stream.type} track {stream.index}{_title(stream)} is not kept: {error}")
    chapters = source.container.chapters()
    if chapters and output.format.name == PICTURES:
        tracks.warnings.append(f"{len(chapters)} chapters are not kept: pictures hold none")
    elif chapters:
        output.set_chapters(chapters)
    return tracks


def _title(stream: Stream) -> str:
    name = stream.metadata.get("filename") or stream.metadata.get("title") or stream.name
    return f" ({name})" if name else ""


def _add_attachment(output: av.container.OutputContainer, stream: Stream, source: VideoSource) -> None:
    if output.format.name not in WITH_ATTACHMENTS:
        raise NlvcError(f"the container {output.format.name} holds no attachments")
    if is_cover(stream):
        _add_cover(output, stream, source)
    else:
        output.add_stream_from_template(stream)


def cover_data(source: VideoSource, stream: Stream) -> bytes:
    """The picture of a cover track."""
    if str(source.path) == STANDARD_STREAM:
        raise NlvcError("standard input cannot be read twice to get at the picture")
    with ffmpeg_errors(f"cannot read the cover art of {source.path}"), open_input(source.path) as again:
        data = next((bytes(packet) for packet in again.demux(again.streams[stream.index]) if packet.size), None)
    if data is None:
        raise NlvcError("the cover art has no data")
    return data


def _add_cover(output: av.container.OutputContainer, stream: Stream, source: VideoSource) -> None:
    """Cover art arrives as a video track of one packet and goes back as an attachment."""
    data = cover_data(source, stream)
    kind = COVER_TYPES.get(stream.codec_context.name if stream.codec_context else "", "application/octet-stream")
    mimetype = stream.metadata.get("mimetype", kind)
    name = stream.metadata.get("filename", f"cover.{kind.rpartition('/')[2].replace('jpeg', 'jpg')}")
    attachment = output.add_attachment(name, mimetype, data)
    attachment.metadata.update(
        {key: value for key, value in kept_tags(stream.metadata).items() if key not in attachment.metadata}
    )
