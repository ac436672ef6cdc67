/* The leading fields of some public FFmpeg structures, so that the shim builds without FFmpeg's headers.
 *
 * They hold for libavutil 60, libavcodec 62 and libavformat 62 (FFmpeg 8), which PyAV 18 bundles; FFmpeg only appends
 * fields within a major version. `_avshim` refuses to be imported on top of other majors. */
#ifndef NLVC_AVSHIM_LIBAV_PREFIX_H
#define NLVC_AVSHIM_LIBAV_PREFIX_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AVRational {
    int num;
    int den;
} AVRational;

typedef struct AVPacketSideData {
    uint8_t* data;
    size_t size;
    int type;
} AVPacketSideData;

typedef struct AVCodecParameters {
    int codec_type;
    int codec_id;
    uint32_t codec_tag;
    uint8_t* extradata;
    int extradata_size;
    AVPacketSideData* coded_side_data;
    int nb_coded_side_data;
    int format;
    int64_t bit_rate;
    int bits_per_coded_sample;
    int bits_per_raw_sample;
    int profile;
    int level;
    int width;
    int height;
    AVRational sample_aspect_ratio;
    AVRational framerate;
    int field_order;
    int color_range;
    int color_primaries;
    int color_trc;
    int color_space;
    int chroma_location;
    int video_delay;
} AVCodecParameters;

typedef struct AVStream {
    const void* av_class;
    int index;
    int id;
    AVCodecParameters* codecpar;
    void* priv_data;
    AVRational time_base;
    int64_t start_time;
    int64_t duration;
    int64_t nb_frames;
    int disposition;
    int discard;
    AVRational sample_aspect_ratio;
} AVStream;

typedef struct AVFrameSideData {
    int type;
    uint8_t* data;
    size_t size;
} AVFrameSideData;

typedef struct AVFrame {
    uint8_t* data[8];
    int linesize[8];
    uint8_t** extended_data;
    int width;
    int height;
    int nb_samples;
    int format;
    int pict_type;
    AVRational sample_aspect_ratio;
    int64_t pts;
    int64_t pkt_dts;
    AVRational time_base;
    int quality;
    void* opaque;
    int repeat_pict;
    int sample_rate;
    void* buf[8];
    void** extended_buf;
    int nb_extended_buf;
    AVFrameSideData** side_data;
    int nb_side_data;
    int flags;
    int color_range;
    int color_primaries;
    int color_trc;
    int colorspace;
    int chroma_location;
} AVFrame;

typedef struct AVComponentDescriptor {
    int plane;
    int step;
    int offset;
    int shift;
    int depth;
} AVComponentDescriptor;

typedef struct AVPixFmtDescriptor {
    const char* name;
    uint8_t nb_components;
    uint8_t log2_chroma_w;
    uint8_t log2_chroma_h;
    uint64_t flags;
    AVComponentDescriptor comp[4];
} AVPixFmtDescriptor;

/* Functions of libavutil and libavcodec that the shim looks up at run time. */
typedef int (*nlvc_get_pix_fmt)(const char* name);
typedef const AVPixFmtDescriptor* (*nlvc_pix_fmt_desc_get)(int format);
typedef AVFrameSideData* (*nlvc_frame_new_side_data)(AVFrame* frame, int type, size_t size);
typedef AVPacketSideData* (*nlvc_packet_side_data_new)(AVPacketSideData** list, int* count, int type, size_t size,
                                                       int flags);

#endif
