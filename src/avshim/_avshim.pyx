"""The few fields of FFmpeg that PyAV keeps to itself: codec tag, extradata, picture size, aspect ratio and side data of
streams, what frames say about their presentation, and where the samples of a pixel format lie.

PyAV cannot know our codec, so its streams have no codec context and hide these fields. The shim reads and writes them
in the `AVStream` behind an `av.stream.Stream` and the `AVFrame` behind an `av.VideoFrame`. It allocates nothing itself:
memory changes hands between two streams that PyAV made, or FFmpeg's own functions allocate it. Streams must belong to
an open container.
"""
from libc.stdint cimport uint8_t, uintptr_t
from libc.string cimport memcpy

cimport libav as lib
from av.frame cimport Frame
from av.stream cimport Stream

import ctypes

import av
import av.frame

SUPPORTED_MAJORS = {"libavutil": 60, "libavcodec": 62, "libavformat": 62}  # FFmpeg 8, see libav_prefix.h
cdef int CORRUPT = 1  # AV_FRAME_FLAG_CORRUPT
cdef int INTERLACED = 1 << 3  # AV_FRAME_FLAG_INTERLACED
cdef int TOP_FIELD_FIRST = 1 << 4
cdef int UNKNOWN_PROFILE_OR_LEVEL = -99
cdef int UNKNOWN_FORMAT = -1

for _name, _major in SUPPORTED_MAJORS.items():
    if av.library_versions[_name][0] != _major:
        raise ImportError(
            f"pynlvc was built for {_name} {_major} and PyAV {av.__version__} brings "
            f"{'.'.join(map(str, av.library_versions[_name]))}: install av>=18.1,<19"
        )


# PyAV's extension modules are linked to its own copy of FFmpeg: what they can call can be found through any of them.
_libraries = ctypes.CDLL(av.frame.__file__)


def _address(name: str) -> int:
    return ctypes.cast(getattr(_libraries, name), ctypes.c_void_p).value


cdef lib.nlvc_get_pix_fmt get_pix_fmt = <lib.nlvc_get_pix_fmt><uintptr_t>_address("av_get_pix_fmt")
cdef lib.nlvc_pix_fmt_desc_get pix_fmt_desc_get = <lib.nlvc_pix_fmt_desc_get><uintptr_t>_address("av_pix_fmt_desc_get")
cdef lib.nlvc_frame_new_side_data frame_new_side_data = (
    <lib.nlvc_frame_new_side_data><uintptr_t>_address("av_frame_new_side_data")
)
cdef lib.nlvc_packet_side_data_new packet_side_data_new = (
    <lib.nlvc_packet_side_data_new><uintptr_t>_address("av_packet_side_data_new")
)


cdef lib.AVCodecParameters *parameters_of(Stream stream) except NULL:
    if stream is None or stream.ptr == NULL or stream.ptr.codecpar == NULL:
        raise ValueError("the stream does not belong to an open container")
    return stream.ptr.codecpar


def codec_id(Stream stream not None) -> int:
    """FFmpeg's number of the stream's codec, 0 when FFmpeg does not know the codec."""
    return parameters_of(stream).codec_id


def codec_tag(Stream stream not None) -> bytes:
    """The four bytes by which the container names the codec (four zeros: none)."""
    return int(parameters_of(stream).codec_tag).to_bytes(4, "little")


def extradata(Stream stream not None) -> bytes:
    """The codec's out-of-band header, as the container holds it."""
    cdef lib.AVCodecParameters *parameters = parameters_of(stream)
    if parameters.extradata == NULL or parameters.extradata_size <= 0:
        return b""
    return parameters.extradata[:parameters.extradata_size]


def size(Stream stream not None) -> tuple[int, int]:
    """(width, height) in samples as the container gives them."""
    cdef lib.AVCodecParameters *parameters = parameters_of(stream)
    return parameters.width, parameters.height


def sample_aspect_ratio(Stream stream not None) -> tuple[int, int]:
    """(numerator, denominator) of a sample's width over its height, the container's word before the codec's; (0, 1): unknown."""
    cdef lib.AVCodecParameters *parameters = parameters_of(stream)
    if stream.ptr.sample_aspect_ratio.num:
        return stream.ptr.sample_aspect_ratio.num, stream.ptr.sample_aspect_ratio.den
    return parameters.sample_aspect_ratio.num, parameters.sample_aspect_ratio.den or 1


def color(Stream stream not None) -> dict[str, int]:
    """Colour description and field order by FFmpeg's numbers (`AVColorRange` and so on)."""
    cdef lib.AVCodecParameters *parameters = parameters_of(stream)
    return {
        "color_range": parameters.color_range,
        "color_primaries": parameters.color_primaries,
        "color_trc": parameters.color_trc,
        "color_space": parameters.color_space,
        "chroma_location": parameters.chroma_location,
        "field_order": parameters.field_order,
    }


def set_sample_aspect_ratio(Stream stream not None, int numerator, int denominator) -> None:
    """Sets the ratio for the container and for the codec."""
    cdef lib.AVCodecParameters *parameters = parameters_of(stream)
    if numerator < 0 or denominator <= 0:
        raise ValueError(f"{numerator}:{denominator} is no aspect ratio")
    stream.ptr.sample_aspect_ratio.num = parameters.sample_aspect_ratio.num = numerator
    stream.ptr.sample_aspect_ratio.den = parameters.sample_aspect_ratio.den = denominator


def set_color_range(Stream stream not None, int value) -> None:
    """Sets `AVColorRange`: 0 unknown, 1 limited, 2 full."""
    parameters_of(stream).color_range = value


def clear_codec_tag(Stream stream not None) -> None:
    """Lets the muxer choose its own tag for a copied stream."""
    parameters_of(stream).codec_tag = 0


def name_codec(Stream stream not None, int codec_id, bytes codec_tag not None, int width, int height) -> None:
    """Names a codec and picture size, and forgets what described the former coding (profile, bit rate, ...)."""
    cdef lib.AVCodecParameters *parameters = parameters_of(stream)
    if len(codec_tag) != 4:
        raise ValueError("a codec tag has four bytes")
    parameters.codec_id = codec_id
    parameters.codec_tag = int.from_bytes(codec_tag, "little")
    parameters.width = width
    parameters.height = height
    parameters.format = UNKNOWN_FORMAT
    parameters.bit_rate = 0
    parameters.bits_per_coded_sample = 0
    parameters.bits_per_raw_sample = 0
    parameters.profile = UNKNOWN_PROFILE_OR_LEVEL
    parameters.level = UNKNOWN_PROFILE_OR_LEVEL
    parameters.video_delay = 0


def adopt_coding(Stream stream not None, Stream donor not None) -> None:
    """Takes over from `donor` how the samples are coded (codec, tag, extradata, size, profile, ...), and keeps how they are
    to be shown (colour, field order, rotation, ...). The two streams exchange their extradata: each frees what it then holds.
    """
    cdef lib.AVCodecParameters *target = parameters_of(stream)
    cdef lib.AVCodecParameters *source = parameters_of(donor)
    cdef uint8_t *former_extradata = target.extradata
    cdef int former_size = target.extradata_size
    target.extradata = source.extradata
    target.extradata_size = source.extradata_size
    source.extradata = former_extradata
    source.extradata_size = former_size
    target.codec_id = source.codec_id
    target.codec_tag = source.codec_tag
    target.format = source.format
    target.bit_rate = source.bit_rate
    target.bits_per_coded_sample = source.bits_per_coded_sample
    target.bits_per_raw_sample = source.bits_per_raw_sample
    target.profile = source.profile
    target.level = source.level
    target.width = source.width
    target.height = source.height
    target.video_delay = source.video_delay


def stream_side_data(Stream stream not None) -> dict[int, bytes]:
    """What the container says beside the packets, by FFmpeg's `AVPacketSideDataType`."""
    cdef lib.AVCodecParameters *parameters = parameters_of(stream)
    return {
        parameters.coded_side_data[i].type: parameters.coded_side_data[i].data[:parameters.coded_side_data[i].size]
        for i in range(parameters.nb_coded_side_data)
    }


def add_stream_side_data(Stream stream not None, int kind, bytes data not None) -> None:
    """Sets side data of the stream (`AVPacketSideDataType`), for the container's header."""
    cdef lib.AVCodecParameters *parameters = parameters_of(stream)
    cdef lib.AVPacketSideData *entry = packet_side_data_new(
        &parameters.coded_side_data, &parameters.nb_coded_side_data, kind, len(data), 0
    )
    if entry == NULL:
        raise MemoryError("no memory for side data")
    memcpy(entry.data, <const uint8_t *>data, len(data))


def set_color(Stream stream not None, int primaries, int transfer, int matrix, int chroma_location) -> None:
    """Sets the colour description by FFmpeg's numbers."""
    cdef lib.AVCodecParameters *parameters = parameters_of(stream)
    parameters.color_primaries = primaries
    parameters.color_trc = transfer
    parameters.color_space = matrix
    parameters.chroma_location = chroma_location


def set_field_order(Stream stream not None, int value) -> None:
    """Sets `AVFieldOrder`."""
    parameters_of(stream).field_order = value


def frame_color(Frame frame not None) -> tuple[int, int, int, int, int]:
    """(range, primaries, transfer, matrix, chroma location) of a video frame by FFmpeg's numbers."""
    cdef lib.AVFrame *f = frame.ptr
    return f.color_range, f.color_primaries, f.color_trc, f.colorspace, f.chroma_location


def set_frame_color(
    Frame frame not None, int color_range, int primaries, int transfer, int matrix, int chroma_location
) -> None:
    """The reverse of frame_color."""
    cdef lib.AVFrame *f = frame.ptr
    f.color_range = color_range
    f.color_primaries = primaries
    f.color_trc = transfer
    f.colorspace = matrix
    f.chroma_location = chroma_location


def frame_aspect_ratio(Frame frame not None) -> tuple[int, int]:
    """(numerator, denominator) of a sample's width over its height; (0, 1): unknown."""
    return frame.ptr.sample_aspect_ratio.num, frame.ptr.sample_aspect_ratio.den or 1


def set_frame_aspect_ratio(Frame frame not None, int numerator, int denominator) -> None:
    """Sets the ratio."""
    frame.ptr.sample_aspect_ratio.num = numerator
    frame.ptr.sample_aspect_ratio.den = denominator


def frame_fields(Frame frame not None) -> tuple[bool, bool, int]:
    """(interlaced, top field first, how many half frames longer it is shown)."""
    cdef lib.AVFrame *f = frame.ptr
    return bool(f.flags & INTERLACED), bool(f.flags & TOP_FIELD_FIRST), f.repeat_pict


def set_frame_fields(Frame frame not None, bint interlaced, bint top_field_first, int repeat) -> None:
    """The reverse of frame_fields."""
    cdef lib.AVFrame *f = frame.ptr
    f.flags &= ~(INTERLACED | TOP_FIELD_FIRST)
    if interlaced:
        f.flags |= INTERLACED
    if top_field_first:
        f.flags |= TOP_FIELD_FIRST
    f.repeat_pict = repeat


def mark_corrupt(Frame frame not None) -> None:
    """Makes `frame.is_corrupt` true, as FFmpeg's decoders do for frames that they concealed."""
    cdef lib.AVFrame *f = frame.ptr
    f.flags |= CORRUPT


def frame_side_data(Frame frame not None) -> list[tuple[int, bytes]]:
    """(type, bytes) of a frame's side data in order, by FFmpeg's `AVFrameSideDataType`."""
    cdef lib.AVFrame *f = frame.ptr
    return [(f.side_data[i].type, f.side_data[i].data[:f.side_data[i].size]) for i in range(f.nb_side_data)]


def add_frame_side_data(Frame frame not None, int kind, bytes data not None) -> None:
    """Adds side data to a frame."""
    cdef lib.AVFrameSideData *entry = frame_new_side_data(frame.ptr, kind, len(data))
    if entry == NULL:
        raise MemoryError("no memory for side data")
    memcpy(entry.data, <const uint8_t *>data, len(data))


def describe_format(name: str) -> tuple[int, int, int, list[tuple[int, int, int, int, int]]] | None:
    """(log2 of the horizontal subsampling, vertical, `AV_PIX_FMT_FLAG_*`, components) of a pixel format, or None.

    A component is (plane, step, offset, shift, depth): bytes from sample to sample, bytes before the first, bits below,
    bits. FFmpeg's order: Y, U, V or R, G, B, then alpha.
    """
    cdef int number = get_pix_fmt(name.encode())
    if number < 0:
        return None
    cdef const lib.AVPixFmtDescriptor *d = pix_fmt_desc_get(number)
    if d == NULL:
        return None
    components = [
        (d.comp[i].plane, d.comp[i].step, d.comp[i].offset, d.comp[i].shift, d.comp[i].depth)
        for i in range(d.nb_components)
    ]
    return d.log2_chroma_w, d.log2_chroma_h, d.flags, components
