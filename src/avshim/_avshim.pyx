"""The few stream fields of FFmpeg that PyAV keeps to itself: codec tag, extradata, picture size and aspect ratio of a
stream without a codec context.

PyAV cannot know our codec, so its streams have no codec context and hide these fields. The shim reads and writes them
in the `AVStream` behind an `av.stream.Stream`. It allocates nothing: memory changes hands between two streams that
PyAV made. Streams must belong to an open container.
"""
from libc.stdint cimport uint8_t

cimport libav as lib
from av.stream cimport Stream

import av

cdef int SUPPORTED_MAJOR = 62  # of libavcodec and libavformat: FFmpeg 8, see libav_prefix.h
cdef int UNKNOWN_PROFILE_OR_LEVEL = -99
cdef int UNKNOWN_FORMAT = -1

for _name in ("libavcodec", "libavformat"):
    if av.library_versions[_name][0] != SUPPORTED_MAJOR:
        raise ImportError(
            f"pynlvc was built for {_name} {SUPPORTED_MAJOR} and PyAV {av.__version__} brings "
            f"{'.'.join(map(str, av.library_versions[_name]))}: install av>=18.1,<19"
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
