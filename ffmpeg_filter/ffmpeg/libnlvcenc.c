/* NLVC encoder: a wrapper around libnlvc. */
#include "libavutil/avstring.h"
#include "libavutil/common.h"
#include "libavutil/mem.h"
#include "libavutil/opt.h"
#include "libavutil/pixdesc.h"
#include "libavutil/thread.h"

#include "avcodec.h"
#include "codec_internal.h"
#include "encode.h"
#include "libnlvc.h"
#include "libnlvc_side.h"
#include "version.h"

typedef struct NLVCEncoder {
    const AVClass *class;
    nlvc_encoder *encoder;
    int64_t next_pts;

    int effort;
    char *model;
    char *model_path;
    int bridge;
    char *python;
    int bridge_timeout;
    int embed_model;
    int delta;
    int gop;
    double gop_seconds;
    int scene_cuts;
    int slices;
} NLVCEncoder;

static int set_options(AVCodecContext *avctx, NLVCOptions *options)
{
    const NLVCEncoder *c = avctx->priv_data;
    /* -gop is the codec's own word for what FFmpeg calls -g. */
    const int gop = c->gop >= 0 ? c->gop : avctx->gop_size;
    int ret = 0;

#define ADD(...) if (ret >= 0) ret = nlvc_add_option(options, av_asprintf(__VA_ARGS__))
    ADD("effort=%d", c->effort);
    if (c->model)
        ADD("model=%s", c->model);
    if (c->model_path)
        ADD("model_path=%s", c->model_path);
    ADD("embed_model=%d", c->embed_model);
    ADD("delta=%d", c->delta);
    if (gop >= 0)
        ADD("gop=%d", gop);
    ADD("gop_seconds=%f", c->gop_seconds);
    ADD("scene_cuts=%d", c->scene_cuts);
    ADD("slices=%d", c->slices ? c->slices : FFMIN(avctx->slices, 8));
    ADD("threads=%d", av_clip(avctx->thread_count, 0, 256));
    ADD("bridge=%d", c->bridge);
    if (c->python)
        ADD("python=%s", c->python);
    ADD("bridge_timeout=%d", c->bridge_timeout);
#undef ADD
    return ret;
}

static av_cold int encode_init(AVCodecContext *avctx)
{
    NLVCEncoder *c = avctx->priv_data;
    NLVCOptions options = { { NULL } };
    nlvc_format format;
    nlvc_status status;
    const uint8_t *extradata;
    size_t size;
    int ret;

    status = nlvc_format_init(&format, av_get_pix_fmt_name(avctx->pix_fmt), avctx->width, avctx->height,
                              avctx->time_base.num, avctx->time_base.den);
    if (status < 0)
        return nlvc_averror(avctx, status);

    ret = set_options(avctx, &options);
    if (ret >= 0) {
        status = nlvc_encoder_open(&format, (const char *const *)options.items, &c->encoder);
        if (status < 0)
            ret = nlvc_averror(avctx, status);
    }
    nlvc_free_options(&options);
    if (ret < 0)
        return ret;

    status = nlvc_encoder_extradata(c->encoder, &extradata, &size);
    if (status < 0)
        return nlvc_averror(avctx, status);
    avctx->extradata = av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!avctx->extradata)
        return AVERROR(ENOMEM);
    memcpy(avctx->extradata, extradata, size);
    avctx->extradata_size = size;
    return 0;
}

/* In the encoder's time base; 0 where nobody knows. */
static int64_t frame_duration(const AVCodecContext *avctx, const AVFrame *frame)
{
#if LIBAVCODEC_VERSION_MAJOR >= 60
    if (frame->duration > 0)
        return frame->duration;
#endif
    if (avctx->framerate.num > 0 && avctx->framerate.den > 0)
        return av_rescale_q(1, av_inv_q(avctx->framerate), avctx->time_base);
    return 0;
}

static int encode_frame(AVCodecContext *avctx, AVPacket *pkt, const AVFrame *frame, int *got_packet)
{
    NLVCEncoder *c = avctx->priv_data;
    nlvc_frame in = { .keyframe = frame->pict_type == AV_PICTURE_TYPE_I };
    NLVCSide side;
    nlvc_packet out;
    nlvc_status status;
    int ret;

    nlvc_set_planes(&in, frame);
    ff_nlvc_read_side(&side, frame);
    in.side       = side.entries;
    in.side_count = side.count;
    in.pts      = frame->pts == AV_NOPTS_VALUE ? c->next_pts : frame->pts;
    in.duration = frame_duration(avctx, frame);
    c->next_pts = in.pts + FFMAX(in.duration, 1);

    status = nlvc_encoder_send(c->encoder, &in);
    if (status == NLVC_OK)
        status = nlvc_encoder_receive(c->encoder, &out);
    if (status < 0)
        return nlvc_averror(avctx, status);

    ret = ff_get_encode_buffer(avctx, pkt, out.size, 0);
    if (ret < 0)
        return ret;
    memcpy(pkt->data, out.data, out.size);
    pkt->pts = pkt->dts = in.pts;
#if LIBAVCODEC_VERSION_MAJOR >= 60
    pkt->duration = in.duration; /* earlier versions of the program ffmpeg set it themselves */
#endif
    if (out.keyframe)
        pkt->flags |= AV_PKT_FLAG_KEY;
    *got_packet = 1;
    return 0;
}

static av_cold int encode_close(AVCodecContext *avctx)
{
    NLVCEncoder *c = avctx->priv_data;

    nlvc_encoder_close(c->encoder);
    c->encoder = NULL;
    return 0;
}

#define OFFSET(x) offsetof(NLVCEncoder, x)
#define VE AV_OPT_FLAG_VIDEO_PARAM | AV_OPT_FLAG_ENCODING_PARAM
static const AVOption options[] = {
    { "effort", "how much is fitted to the content: 0 encodes fastest; decoding stays the same",
      OFFSET(effort), AV_OPT_TYPE_INT, { .i64 = 3 }, 0, 9, VE },
    { "model", "name of a model (fast, standard, large), or path of a file that ends in .nlvm",
      OFFSET(model), AV_OPT_TYPE_STRING, { .str = "standard" }, 0, 0, VE },
    { "model_path", "folders and files, separated by ':', in which models are looked for first",
      OFFSET(model_path), AV_OPT_TYPE_STRING, { .str = NULL }, 0, 0, VE },
    { "embed_model", "the stream carries its model and needs none installed",
      OFFSET(embed_model), AV_OPT_TYPE_BOOL, { .i64 = 0 }, 0, 1, VE },
    { "delta", "slope of the sample groups: 2 compresses best",
      OFFSET(delta), AV_OPT_TYPE_INT, { .i64 = 2 }, 0, 2, VE },
    { "gop", "frames from keyframe to keyframe at most, like -g; 1: keyframes only, 0: no limit, -1: see gop_seconds",
      OFFSET(gop), AV_OPT_TYPE_INT, { .i64 = -1 }, -1, INT_MAX, VE },
    { "gop_seconds", "seconds from keyframe to keyframe at most, where neither -gop nor -g is given",
      OFFSET(gop_seconds), AV_OPT_TYPE_DOUBLE, { .dbl = 2 }, 0.000001, 1000000, VE },
    { "scene_cuts", "a keyframe where the picture changes altogether",
      OFFSET(scene_cuts), AV_OPT_TYPE_BOOL, { .i64 = 1 }, 0, 1, VE },
    { "slices", "independent parts of a frame, threads work on them; 0: chosen by the height",
      OFFSET(slices), AV_OPT_TYPE_INT, { .i64 = 0 }, 0, 8, VE },
    { "bridge", "code in a Python process, 0: never, 1: where a model needs it, 2: always",
      OFFSET(bridge), AV_OPT_TYPE_INT, { .i64 = 1 }, 0, 2, VE },
    { "python", "interpreter of that process; unset: NLVC_PYTHON of the environment",
      OFFSET(python), AV_OPT_TYPE_STRING, { .str = NULL }, 0, 0, VE },
    { "bridge_timeout", "seconds to wait for an answer of that process",
      OFFSET(bridge_timeout), AV_OPT_TYPE_INT, { .i64 = 600 }, 1, 86400, VE },
    { NULL },
};

static const AVClass libnlvc_class = {
    .class_name = "libnlvc encoder",
    .item_name  = av_default_item_name,
    .option     = options,
    .version    = LIBAVUTIL_VERSION_INT,
};

static const FFCodecDefault defaults[] = {
    { "g", "-1" },
    { "b", "0" },
    { NULL },
};

/* The formats that libnlvc lists and this FFmpeg knows. */
static enum AVPixelFormat pix_fmts[256];
static int nb_pix_fmts;

static av_cold void list_pix_fmts(void)
{
    const char *name;

    for (int i = 0; (name = nlvc_pixel_format(i)) && nb_pix_fmts + 1 < FF_ARRAY_ELEMS(pix_fmts); i++) {
        const enum AVPixelFormat format = av_get_pix_fmt(name);
        if (format != AV_PIX_FMT_NONE)
            pix_fmts[nb_pix_fmts++] = format;
    }
    pix_fmts[nb_pix_fmts] = AV_PIX_FMT_NONE;
}

/* FFmpeg 7.1 asks for them, earlier versions want them in the codec itself. */
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
static int get_supported_config(const AVCodecContext *avctx, const AVCodec *codec, enum AVCodecConfig config,
                                unsigned flags, const void **out_configs, int *out_num_configs)
{
    static AVOnce once = AV_ONCE_INIT;

    if (config != AV_CODEC_CONFIG_PIX_FORMAT)
        return ff_default_get_supported_config(avctx, codec, config, flags, out_configs, out_num_configs);
    ff_thread_once(&once, list_pix_fmts);
    *out_configs     = pix_fmts;
    *out_num_configs = nb_pix_fmts;
    return 0;
}
#define OFFER_PIX_FMTS .get_supported_config = get_supported_config
#else
static av_cold void init_static(FFCodec *codec)
{
    list_pix_fmts();
    codec->p.pix_fmts = pix_fmts;
}
#define OFFER_PIX_FMTS .init_static_data = init_static
#endif

FFCodec ff_libnlvc_encoder = {
    .p.name           = "libnlvc",
    .p.long_name      = NULL_IF_CONFIG_SMALL("libnlvc NLVC lossless video"),
    .p.type           = AVMEDIA_TYPE_VIDEO,
    .p.id             = AV_CODEC_ID_NLVC,
    /* One packet for each frame, without delay; libnlvc has threads of its own. */
    .p.capabilities   = AV_CODEC_CAP_DR1 | AV_CODEC_CAP_OTHER_THREADS,
    .p.priv_class     = &libnlvc_class,
    .p.wrapper_name   = "libnlvc",
    .priv_data_size   = sizeof(NLVCEncoder),
    OFFER_PIX_FMTS,
    .init             = encode_init,
    FF_CODEC_ENCODE_CB(encode_frame),
    .close            = encode_close,
    .defaults         = defaults,
    .caps_internal    = FF_CODEC_CAP_INIT_CLEANUP,
};
