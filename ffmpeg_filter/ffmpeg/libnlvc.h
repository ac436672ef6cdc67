/* What encoder, decoder and filter share: libnlvc's statuses and pixel formats in FFmpeg's terms. */
#ifndef AVCODEC_LIBNLVC_H
#define AVCODEC_LIBNLVC_H

#include <nlvc.h>

#include "libavutil/error.h"
#include "libavutil/frame.h"
#include "libavutil/log.h"

/* Logs libnlvc's own words about the call that just failed and gives the error for FFmpeg. */
static inline int nlvc_averror(void *log_context, nlvc_status status)
{
    av_log(log_context, AV_LOG_ERROR, "%s\n", nlvc_error());
    switch (status) {
    case NLVC_BAD_ARGUMENT: return AVERROR(EINVAL);
    case NLVC_BAD_STREAM:   return AVERROR_INVALIDDATA;
    default:                return AVERROR_EXTERNAL;
    }
}

/* Points libnlvc's frame to the planes of FFmpeg's. */
static inline void nlvc_set_planes(nlvc_frame *to, const AVFrame *from)
{
    for (int i = 0; i < 4; i++) {
        to->planes[i]  = from->data[i];
        to->strides[i] = from->linesize[i];
    }
}

/* A list of options "name=value" that grows. */
typedef struct NLVCOptions {
    char *items[24]; /* the last one stays NULL */
    int count;
} NLVCOptions;

static inline int nlvc_add_option(NLVCOptions *options, char *item)
{
    if (!item || options->count + 1 >= FF_ARRAY_ELEMS(options->items)) {
        av_free(item);
        return AVERROR(ENOMEM);
    }
    options->items[options->count++] = item;
    return 0;
}

static inline void nlvc_free_options(NLVCOptions *options)
{
    for (int i = 0; i < options->count; i++)
        av_freep(&options->items[i]);
    options->count = 0;
}

#endif /* AVCODEC_LIBNLVC_H */
