# What PyAV's own declarations (`av/stream.pxd` and what it cimports) expect of FFmpeg: structures of which the shim
# touches the leading fields, and names of which only pointers are used.
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "libav_prefix.h" nogil:
    ctypedef struct AVRational:
        int num
        int den

    ctypedef struct AVPacketSideData:
        uint8_t *data
        size_t size
        int type

    ctypedef struct AVFrameSideData:
        int type
        uint8_t *data
        size_t size

    ctypedef struct AVFrame:
        AVRational sample_aspect_ratio
        int repeat_pict
        AVFrameSideData **side_data
        int nb_side_data
        int flags
        int color_range
        int color_primaries
        int color_trc
        int colorspace
        int chroma_location

    ctypedef struct AVComponentDescriptor:
        int plane
        int step
        int offset
        int shift
        int depth

    ctypedef struct AVPixFmtDescriptor:
        uint8_t nb_components
        uint8_t log2_chroma_w
        uint8_t log2_chroma_h
        uint64_t flags
        AVComponentDescriptor comp[4]

    ctypedef int (*nlvc_get_pix_fmt)(const char *name)
    ctypedef const AVPixFmtDescriptor *(*nlvc_pix_fmt_desc_get)(int format)
    ctypedef AVFrameSideData *(*nlvc_frame_new_side_data)(AVFrame *frame, int type, size_t size)
    ctypedef AVPacketSideData *(*nlvc_packet_side_data_new)(
        AVPacketSideData **list, int *count, int type, size_t size, int flags
    )

    ctypedef struct AVCodecParameters:
        int codec_type
        int codec_id
        uint32_t codec_tag
        uint8_t *extradata
        int extradata_size
        AVPacketSideData *coded_side_data
        int nb_coded_side_data
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
    typedef struct AVIOContext AVIOContext;
    typedef struct AVIndexEntry AVIndexEntry;
    typedef struct AVInputFormat AVInputFormat;
    typedef struct AVMotionVector AVMotionVector;
    typedef struct AVOutputFormat AVOutputFormat;
    typedef struct AVPacket AVPacket;
    typedef struct AVVideoBlockParams AVVideoBlockParams;
    typedef int AVPacketSideDataType;
    typedef int AVPixelFormat;
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

    ctypedef int AVPixelFormat
