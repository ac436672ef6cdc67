/* NLVC decoder: a wrapper around libnlvc. */
#include "libavutil/avstring.h"
#include "libavutil/common.h"
#include "libavutil/mem.h"
#include "libavutil/opt.h"
#include "libavutil/pixdesc.h"

#include "avcodec.h"
#include "codec_internal.h"
#include "decode.h"
#include "internal.h"
#include "libnlvc.h"
#include "libnlvc_side.h"

typedef struct NLVCDecoder {
    const AVClass *class;
    nlvc_decoder *decoder;
    AVFrame *last; /* to be shown again in place of damaged frames, where the user wants that */

    char *model_path;
    int bridge;
    char *python;
    int bridge_timeout;
} NLVCDecoder;

static int set_format(AVCodecContext *avctx, const nlvc_format *format)
{
    const enum AVPixelFormat pix_fmt = av_get_pix_fmt(format->name);
    int ret;

    if (pix_fmt == AV_PIX_FMT_NONE) {
        av_log(avctx, AV_LOG_ERROR, "this FFmpeg has no pixel format %s\n", format->name);
        return AVERROR_PATCHWELCOME;
    }
    if (avctx->width != format->width || avctx->height != format->height) {
        ret = ff_set_dimensions(avctx, format->width, format->height);
        if (ret < 0)
            return ret;
    }
    avctx->pix_fmt             = pix_fmt;
    avctx->bits_per_raw_sample = format->depth;
    return 0;
}

static av_cold int decode_init(AVCodecContext *avctx)
{
    NLVCDecoder *c = avctx->priv_data;
    NLVCOptions options = { { NULL } };
    nlvc_format format;
    nlvc_status status = NLVC_OK;
    int ret = 0;

    c->last = av_frame_alloc();
    if (!c->last)
        return AVERROR(ENOMEM);

#define ADD(...) if (ret >= 0) ret = nlvc_add_option(&options, av_asprintf(__VA_ARGS__))
    ADD("threads=%d", av_clip(avctx->thread_count, 0, 256));
    if (c->model_path)
        ADD("model_path=%s", c->model_path);
    ADD("bridge=%d", c->bridge);
    if (c->python)
        ADD("python=%s", c->python);
    ADD("bridge_timeout=%d", c->bridge_timeout);
#undef ADD
    if (ret >= 0)
        status = nlvc_decoder_open(avctx->extradata_size > 0 ? avctx->extradata : NULL, FFMAX(avctx->extradata_size, 0),
                                   (const char *const *)options.items, &c->decoder);
    nlvc_free_options(&options);
    if (status < 0)
        ret = nlvc_averror(avctx, status);
    if (ret < 0)
        return ret;

    /* Without extradata the first keyframe tells. */
    return nlvc_decoder_format(c->decoder, &format) == NLVC_OK ? set_format(avctx, &format) : 0;
}

/* In place of a damaged frame: the last good one, marked as corrupt; else the error. */
static int conceal(AVCodecContext *avctx, AVFrame *frame, int *got_frame, int error)
{
    NLVCDecoder *c = avctx->priv_data;
    int ret;

    if (!(avctx->flags & AV_CODEC_FLAG_OUTPUT_CORRUPT) || avctx->err_recognition & AV_EF_EXPLODE || !c->last->buf[0])
        return error;
    ret = ff_get_buffer(avctx, frame, 0);
    if (ret < 0)
        return ret;
    ret = av_frame_copy(frame, c->last);
    if (ret < 0)
        return ret;
    frame->flags             |= AV_FRAME_FLAG_CORRUPT;
    frame->decode_error_flags |= FF_DECODE_ERROR_INVALID_BITSTREAM;
    frame->pict_type          = AV_PICTURE_TYPE_P;
    *got_frame = 1;
    return 0;
}

/* The stream's own word is more than that of a container, which may not have room for it. */
static void follow_frame(AVCodecContext *avctx, const AVFrame *frame)
{
    avctx->color_range            = frame->color_range;
    avctx->color_primaries        = frame->color_primaries;
    avctx->color_trc              = frame->color_trc;
    avctx->colorspace             = frame->colorspace;
    avctx->chroma_sample_location = frame->chroma_location;
    if (frame->sample_aspect_ratio.num > 0)
        avctx->sample_aspect_ratio = frame->sample_aspect_ratio;
}

static int decode_frame(AVCodecContext *avctx, AVFrame *frame, int *got_frame, AVPacket *pkt)
{
    NLVCDecoder *c = avctx->priv_data;
    nlvc_format format;
    nlvc_frame out = { { 0 } };
    nlvc_status status;
    int ret;

    status = nlvc_decoder_send(c->decoder, pkt->data, pkt->size);
    if (status == NLVC_BAD_STREAM) {
        ret = conceal(avctx, frame, got_frame, nlvc_averror(avctx, status));
        return ret < 0 ? ret : pkt->size;
    }
    if (status == NLVC_OK)
        status = nlvc_decoder_format(c->decoder, &format);
    if (status < 0)
        return nlvc_averror(avctx, status);

    ret = set_format(avctx, &format);
    if (ret >= 0)
        ret = ff_get_buffer(avctx, frame, 0);
    if (ret < 0) {
        nlvc_decoder_reset(c->decoder); /* nobody takes the frame that waits */
        return ret;
    }
    nlvc_set_planes(&out, frame);
    status = nlvc_decoder_receive_into(c->decoder, &out);
    if (status < 0)
        return nlvc_averror(avctx, status);

    frame->pict_type = out.keyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_P;
#ifdef AV_FRAME_FLAG_KEY
    if (out.keyframe)
        frame->flags |= AV_FRAME_FLAG_KEY;
    else
        frame->flags &= ~AV_FRAME_FLAG_KEY;
#else
    frame->key_frame = out.keyframe;
#endif
    ret = ff_nlvc_write_side(frame, out.side, out.side_count);
    if (ret < 0)
        return ret;
    follow_frame(avctx, frame);
    if (avctx->flags & AV_CODEC_FLAG_OUTPUT_CORRUPT) {
        av_frame_unref(c->last);
        ret = av_frame_ref(c->last, frame);
        if (ret < 0)
            return ret;
    }
    *got_frame = 1;
    return pkt->size;
}

static void decode_flush(AVCodecContext *avctx)
{
    NLVCDecoder *c = avctx->priv_data;

    nlvc_decoder_reset(c->decoder);
    av_frame_unref(c->last);
}

static av_cold int decode_close(AVCodecContext *avctx)
{
    NLVCDecoder *c = avctx->priv_data;

    nlvc_decoder_close(c->decoder);
    c->decoder = NULL;
    av_frame_free(&c->last);
    return 0;
}

#define OFFSET(x) offsetof(NLVCDecoder, x)
#define VD AV_OPT_FLAG_VIDEO_PARAM | AV_OPT_FLAG_DECODING_PARAM
static const AVOption options[] = {
    { "model_path", "folders and files, separated by ':', in which models are looked for first",
      OFFSET(model_path), AV_OPT_TYPE_STRING, { .str = NULL }, 0, 0, VD },
    { "bridge", "code in a Python process, 0: never, 1: where a model needs it, 2: always",
      OFFSET(bridge), AV_OPT_TYPE_INT, { .i64 = 1 }, 0, 2, VD },
    { "python", "interpreter of that process; unset: NLVC_PYTHON of the environment",
      OFFSET(python), AV_OPT_TYPE_STRING, { .str = NULL }, 0, 0, VD },
    { "bridge_timeout", "seconds to wait for an answer of that process",
      OFFSET(bridge_timeout), AV_OPT_TYPE_INT, { .i64 = 600 }, 1, 86400, VD },
    { NULL },
};

static const AVClass libnlvc_class = {
    .class_name = "libnlvc decoder",
    .item_name  = av_default_item_name,
    .option     = options,
    .version    = LIBAVUTIL_VERSION_INT,
};

const FFCodec ff_libnlvc_decoder = {
    .p.name           = "libnlvc",
    .p.long_name      = NULL_IF_CONFIG_SMALL("libnlvc NLVC lossless video"),
    .p.type           = AVMEDIA_TYPE_VIDEO,
    .p.id             = AV_CODEC_ID_NLVC,
    /* One frame for each packet, without delay; libnlvc has threads of its own. */
    .p.capabilities   = AV_CODEC_CAP_DR1 | AV_CODEC_CAP_OTHER_THREADS,
    .p.priv_class     = &libnlvc_class,
    .p.wrapper_name   = "libnlvc",
    .priv_data_size   = sizeof(NLVCDecoder),
    .init             = decode_init,
    FF_CODEC_DECODE_CB(decode_frame),
    .flush            = decode_flush,
    .close            = decode_close,
    .caps_internal    = FF_CODEC_CAP_INIT_CLEANUP,
};
