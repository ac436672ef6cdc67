/* The leading fields of two public FFmpeg structures, so that the shim builds without FFmpeg's headers.
 *
 * They hold for libavcodec 62 and libavformat 62 (FFmpeg 8), which PyAV 18 bundles; FFmpeg only appends fields within a
 * major version. `_avshim` refuses to be imported on top of other majors. */
#ifndef NLVC_AVSHIM_LIBAV_PREFIX_H
#define NLVC_AVSHIM_LIBAV_PREFIX_H

#include <stdarg.h>
#include <stdint.h>

typedef struct AVRational {
    int num;
    int den;
} AVRational;

typedef struct AVPacketSideData AVPacketSideData;

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

#endif
