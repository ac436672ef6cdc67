"""Tracks of a container: which one is the video, and how to make output tracks that look like an input track.

PyAV does not know our codec, so an NLVC track is made in three steps: a track for packets coded elsewhere, a copy of
everything that describes the source track (colour, field order, rotation, mastering display), and our codec's name
and header in place of the former. In Matroska this gives CodecID V_MS/VFW/FOURCC with the tag NLVC.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from fractions import Fraction

import av
import av.container
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from pynlvc import _avshim
from pynlvc.codec.pixel_formats import FULL_RANGE_TWINS
from pynlvc.errors import NlvcError
from pynlvc.media.containers import ffmpeg_errors

NLVC_TAG = b"NLVC"
FULL_RANGE = 2  # AVCOL_RANGE_JPEG
UNSPECIFIED = 2  # AVCOL_PRI_UNSPECIFIED, AVCOL_TRC_UNSPECIFIED, AVCOL_SPC_UNSPECIFIED
PROGRESSIVE, TOP_FIRST, BOTTOM_FIRST = 1, 2, 3  # AVFieldOrder
# AVFrameSideDataType -> AVPacketSideDataType: rotation, mastering display, content light level, ICC profile.
STREAM_SIDE_DATA = {6: 5, 11: 20, 14: 22, 15: 28}

# Tags that describe the file they were found in and would be wrong in another one.
STALE_TAGS = frozenset({"DURATION", "ENCODER", "MAJOR_BRAND", "MINOR_VERSION", "COMPATIBLE_BRANDS"})
# Tags that FFmpeg's writers add by themselves where the source has none.
ADDED_TAGS = frozenset({"HANDLER_NAME", "VENDOR_ID", "SOFTWARE"})
# Statistics that mkvmerge writes about a track's coded bytes.
STATISTICS_TAGS = frozenset({"BPS", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES"})

# A codec that every container with such tracks accepts, to be replaced by the true one at once.
_PLACEHOLDERS: dict[str, tuple[str, ...]] = {
    "video": ("h264", "mpeg4", "rawvideo", "vp8"),
    "audio": ("aac", "pcm_s16le"),
    "subtitle": ("srt", "mov_text"),
}


def is_nlvc(stream: Stream) -> bool:
    """Whether the track holds NLVC packets."""
    return stream.type == "video" and _avshim.codec_tag(stream) == NLVC_TAG


def is_cover(stream: Stream) -> bool:
    """Whether the track is a picture that goes with the file (cover art), not a video."""
    return stream.type == "video" and bool(stream.disposition & Disposition.attached_pic)


def main_video(container: av.container.InputContainer, name: str) -> VideoStream:
    """The track to code: the first video track that is no cover art."""
    for stream in container.streams.video:
        if not is_cover(stream):
            return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise NlvcError(f"{name} has no video track (it holds: {kinds})")


def kept_tags(tags: Mapping[str, str], *, coded_anew: bool = False) -> dict[str, str]:
    """The tags that stay true for the copy of a track or file; `coded_anew`: its packets are not the former ones."""
    return {
        key: value
        for key, value in tags.items()
        if key.upper() not in STALE_TAGS
        and not (coded_anew and (key.upper() in STATISTICS_TAGS or key.upper().startswith("_STATISTICS")))
    }


def _add_packet_track(output: av.container.OutputContainer, template: Stream, codec: str | None) -> Stream:
    """A track for packets coded elsewhere, described like `template`."""
    names = (codec,) if codec else _PLACEHOLDERS[template.type]
    rate = (template.guessed_rate or template.average_rate) if template.type == "video" else None
    for name in names:
        try:
            stream = output.add_mux_stream(name, rate=rate or None)
            break
        except ValueError as error:
            reason = str(error)
    else:
        raise NlvcError(reason)
    av.BitStreamFilterContext("null", in_stream=template, out_stream=stream)
    ratio = _avshim.sample_aspect_ratio(template)
    if template.type == "video" and ratio[0] > 0:
        _avshim.set_sample_aspect_ratio(stream, *ratio)
    return stream


def _describe(stream: Stream, template: Stream, time_base: Fraction | None, *, coded_anew: bool) -> None:
    stream.metadata.update(kept_tags(template.metadata, coded_anew=coded_anew))
    stream.disposition = template.disposition
    if time_base is not None:
        stream.time_base = time_base  # a wish: Matroska has its own


def add_copied_track(output: av.container.OutputContainer, template: Stream) -> Stream:
    """A track that takes the packets of `template` unchanged; NlvcError when the container cannot hold its codec."""
    # Some containers say so only when their header is written, and then the whole file fails: try it out of the way.
    with (
        ffmpeg_errors(f"the container {output.format.name} cannot hold it"),
        av.open(io.BytesIO(), "w", format=output.format.name) as trial,
    ):
        _add_copied_track(trial, template)
        trial.start_encoding()
    return _add_copied_track(output, template)


def _add_copied_track(output: av.container.OutputContainer, template: Stream) -> Stream:
    known = template.codec_context.name if template.codec_context is not None else None
    stream = _add_packet_track(output, template, known)
    if not is_nlvc(template):
        _avshim.clear_codec_tag(stream)
    _describe(stream, template, template.time_base, coded_anew=False)
    return stream


def add_nlvc_track(
    output: av.container.OutputContainer,
    template: Stream,
    extradata: bytes,
    size: tuple[int, int],
    *,
    time_base: Fraction,
    first: av.VideoFrame,
) -> Stream:
    """An NLVC track of `size` (width, height) that is shown like the video track `template` and, where that says
    nothing, like its frame `first`.

    `time_base`: unit of the exact times, which the container takes if it can.
    """
    stream = _add_packet_track(output, template, None)
    with av.open(io.BytesIO(), "w", format="matroska") as scratch:
        donor = scratch.add_attachment("header", "application/octet-stream", extradata)
        _avshim.name_codec(donor, 0, NLVC_TAG, *size)
        _avshim.adopt_coding(stream, donor)
    _finish_video_track(stream, template, time_base, first)
    return stream


def add_encoder_track(
    output: av.container.OutputContainer,
    template: Stream,
    encoder: Stream,
    *,
    time_base: Fraction,
    first: av.VideoFrame,
) -> Stream:
    """As add_nlvc_track, for the packets of an FFmpeg encoder: a stream of a scratch container that was started."""
    stream = _add_packet_track(output, template, None)
    _avshim.adopt_coding(stream, encoder)
    _finish_video_track(stream, template, time_base, first)
    return stream


def _finish_video_track(stream: Stream, template: Stream, time_base: Fraction, first: av.VideoFrame) -> None:
    if first.format.name in FULL_RANGE_TWINS and _avshim.color(stream)["color_range"] == 0:
        _avshim.set_color_range(stream, FULL_RANGE)
    _describe_like_frame(stream, first)
    _describe(stream, template, time_base, coded_anew=True)


def _describe_like_frame(stream: Stream, first: av.VideoFrame) -> None:
    """Lets the container say what only the frames said so far; its own word stands before theirs."""
    known = _avshim.color(stream)
    color_range, primaries, transfer, matrix, location = _avshim.frame_color(first)
    if known["color_range"] == 0:
        _avshim.set_color_range(stream, color_range)
    _avshim.set_color(
        stream,
        primaries if known["color_primaries"] == UNSPECIFIED else known["color_primaries"],
        transfer if known["color_trc"] == UNSPECIFIED else known["color_trc"],
        matrix if known["color_space"] == UNSPECIFIED else known["color_space"],
        known["chroma_location"] or location,
    )
    interlaced, top_first, _ = _avshim.frame_fields(first)
    if interlaced and known["field_order"] in (0, PROGRESSIVE):
        _avshim.set_field_order(stream, TOP_FIRST if top_first else BOTTOM_FIRST)
    ratio = _avshim.frame_aspect_ratio(first)
    if ratio[0] > 0 and _avshim.sample_aspect_ratio(stream)[0] == 0:
        _avshim.set_sample_aspect_ratio(stream, *ratio)
    present = _avshim.stream_side_data(stream)
    for kind, data in _avshim.frame_side_data(first):
        if kind in STREAM_SIDE_DATA and STREAM_SIDE_DATA[kind] not in present:
            _avshim.add_stream_side_data(stream, STREAM_SIDE_DATA[kind], data)
