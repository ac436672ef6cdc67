# What PyAV's own declarations (`av/stream.pxd` and what it cimports) expect of FFmpeg: two structures of which the shim
# touches the leading fields, and names of which only pointers are used.
from libc.stdint cimport int64_t, uint8_t, uint32_t


cdef extern from "libav_prefix.h" nogil:
    ctypedef struct AVRational:
        int num
        int den

    ctypedef struct AVCodecParameters:
        int codec_type
        int codec_id
        uint32_t codec_tag
        uint8_t *extradata
        int extradata_size
        int format
        int64_t bit_rate
        int bits_per_coded_sample
        int bits_per_raw_sample
        int profile
        int level
        int width
        int height
        AVRational sample_aspect_ratio
        int field_order
        int color_range
        int color_primaries
        int color_trc
        int color_space
        int chroma_location
        int video_delay

    ctypedef struct AVStream:
        int index
        AVCodecParameters *codecpar
        AVRational sample_aspect_ratio


cdef extern from *:
    """
    typedef struct AVBSFContext AVBSFContext;
    typedef struct AVBufferRef AVBufferRef;
    typedef struct AVCodec AVCodec;
    typedef struct AVCodecContext AVCodecContext;
    typedef struct AVCodecDescriptor AVCodecDescriptor;
    typedef struct AVCodecHWConfig AVCodecHWConfig;
    typedef struct AVCodecParserContext AVCodecParserContext;
    typedef struct AVDictionary AVDictionary;
    typedef struct AVFormatContext AVFormatContext;
    typedef struct AVFrame AVFrame;
    typedef struct AVFrameSideData AVFrameSideData;
    typedef struct AVIOContext AVIOContext;
    typedef struct AVIndexEntry AVIndexEntry;
    typedef struct AVInputFormat AVInputFormat;
    typedef struct AVMotionVector AVMotionVector;
    typedef struct AVOutputFormat AVOutputFormat;
    typedef struct AVPacket AVPacket;
    typedef struct AVVideoBlockParams AVVideoBlockParams;
    typedef int AVPacketSideDataType;
    """
    ctypedef struct AVBSFContext:
        pass

    ctypedef struct AVBufferRef:
        pass

    ctypedef struct AVCodec:
        pass

    ctypedef struct AVCodecContext:
        pass

    ctypedef struct AVCodecDescriptor:
        pass

    ctypedef struct AVCodecHWConfig:
        pass

    ctypedef struct AVCodecParserContext:
        pass

    ctypedef struct AVDictionary:
        pass

    ctypedef struct AVFormatContext:
        pass

    ctypedef struct AVFrame:
        pass

    ctypedef struct AVFrameSideData:
        pass

    ctypedef struct AVIOContext:
        pass

    ctypedef struct AVIndexEntry:
        pass

    ctypedef struct AVInputFormat:
        pass

    ctypedef struct AVMotionVector:
        pass

    ctypedef struct AVOutputFormat:
        pass

    ctypedef struct AVPacket:
        pass

    ctypedef struct AVVideoBlockParams:
        pass

    ctypedef int AVPacketSideDataType
