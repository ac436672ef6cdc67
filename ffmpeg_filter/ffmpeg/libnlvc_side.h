/* What AVFrames say beside their samples, to and from libnlvc's side information (docs/bitstream.md section 9.1). */
#ifndef AVCODEC_LIBNLVC_SIDE_H
#define AVCODEC_LIBNLVC_SIDE_H

#include <nlvc.h>

#include "libavutil/frame.h"

#define NLVC_MAX_SIDE 32

typedef struct NLVCSide {
    nlvc_side entries[NLVC_MAX_SIDE];
    int count;
    uint8_t colour[32], ratio[16], fields[16];
} NLVCSide;

/* Collects what can be kept; the entries point into `side` and into the frame. */
void ff_nlvc_read_side(NLVCSide *side, const AVFrame *frame);

/* Puts entries on a frame. AVERROR_INVALIDDATA where one is damaged. */
int ff_nlvc_write_side(AVFrame *frame, const nlvc_side *entries, int count);

#endif /* AVCODEC_LIBNLVC_SIDE_H */
