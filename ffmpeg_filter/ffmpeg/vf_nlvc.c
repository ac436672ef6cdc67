/* What NLVC's model thinks of frames: it codes each one with libnlvc, throws the packet away and keeps the costs. */
#include "libavutil/avstring.h"
#include "libavutil/common.h"
#include "libavutil/mem.h"
#include "libavutil/opt.h"
#include "libavutil/pixdesc.h"

#include "libavcodec/libnlvc.h"

#include "avfilter.h"
#include "formats.h"
#include "video.h"
#if LIBAVFILTER_VERSION_MAJOR >= 10
#include "filters.h"
#else
#include "internal.h"
#endif

typedef struct NLVCFilter {
    const AVClass *class;
    nlvc_encoder *encoder;
    int planes;
    int64_t frames;

    int effort;
    char *model;
    char *model_path;
    int heatmap;
    double white;
    int threads;
} NLVCFilter;

/* The formats that libnlvc codes, and with heatmap grey pictures out. */
static int query_formats(AVFilterContext *ctx)
{
    const NLVCFilter *s = ctx->priv;
    AVFilterFormats *formats = NULL;
    const char *name;
    int ret;

    for (int i = 0; (name = nlvc_pixel_format(i)); i++) {
        const enum AVPixelFormat format = av_get_pix_fmt(name);
        if (format != AV_PIX_FMT_NONE && (ret = ff_add_format(&formats, format)) < 0)
            return ret;
    }
    if (!s->heatmap)
        return ff_set_common_formats(ctx, formats);
    if ((ret = ff_formats_ref(formats, &ctx->inputs[0]->outcfg.formats)) < 0)
        return ret;
    formats = NULL;
    if ((ret = ff_add_format(&formats, AV_PIX_FMT_GRAY8)) < 0)
        return ret;
    return ff_formats_ref(formats, &ctx->outputs[0]->incfg.formats);
}

static int config_input(AVFilterLink *inlink)
{
    AVFilterContext *ctx = inlink->dst;
    NLVCFilter *s = ctx->priv;
    NLVCOptions options = { { NULL } };
    nlvc_format format;
    nlvc_status status;
    int ret = 0;

    nlvc_encoder_close(s->encoder);
    s->encoder = NULL;
    s->planes  = av_pix_fmt_desc_get(inlink->format)->nb_components;
    /* Nothing reads the times of the packets: a tick is a frame. */
    status = nlvc_format_init(&format, av_get_pix_fmt_name(inlink->format), inlink->w, inlink->h, 1, 1);
    if (status < 0)
        return nlvc_averror(ctx, status);

#define ADD(...) if (ret >= 0) ret = nlvc_add_option(&options, av_asprintf(__VA_ARGS__))
    ADD("effort=%d", s->effort);
    if (s->model)
        ADD("model=%s", s->model);
    if (s->model_path)
        ADD("model_path=%s", s->model_path);
    ADD("threads=%d", s->threads);
    ADD("gop=0");
    ADD("analysis=%d", s->heatmap);
#undef ADD
    if (ret >= 0) {
        status = nlvc_encoder_open(&format, (const char *const *)options.items, &s->encoder);
        if (status < 0)
            ret = nlvc_averror(ctx, status);
    }
    nlvc_free_options(&options);
    return ret;
}

static int set_metadata(AVFrame *frame, const char *key, double value)
{
    char name[64], text[32];

    snprintf(name, sizeof(name), "lavfi.nlvc.%s", key);
    snprintf(text, sizeof(text), "%.6g", value);
    return av_dict_set(&frame->metadata, name, text, 0);
}

static int describe(const NLVCFilter *s, AVFrame *frame, const nlvc_analysis *analysis, int keyframe)
{
    char key[32];
    int ret;

    if ((ret = set_metadata(frame, "bpp", analysis->bits / ((double)frame->width * frame->height))) < 0 ||
        (ret = set_metadata(frame, "bits", analysis->bits)) < 0 ||
        (ret = set_metadata(frame, "motion_bits", analysis->motion_bits)) < 0 ||
        (ret = set_metadata(frame, "scene_score", analysis->scene_change)) < 0 ||
        (ret = set_metadata(frame, "keyframe", keyframe)) < 0)
        return ret;
    for (int p = 0; p < s->planes; p++) {
        snprintf(key, sizeof(key), "plane%d.bits", p);
        if ((ret = set_metadata(frame, key, analysis->plane_bits[p])) < 0)
            return ret;
    }
    return 0;
}

/* A picture whose grey tells how many bits a pixel of each block costs. */
static AVFrame *draw_heatmap(const NLVCFilter *s, AVFilterLink *outlink, const AVFrame *in,
                             const nlvc_analysis *analysis)
{
    AVFrame *out = ff_get_video_buffer(outlink, outlink->w, outlink->h);

    if (!out)
        return NULL;
    if (av_frame_copy_props(out, in) < 0) {
        av_frame_free(&out);
        return NULL;
    }
    for (int y = 0; y < out->height; y++) {
        const int row         = y / analysis->block_size;
        const int block_rows  = FFMIN(analysis->block_size, out->height - row * analysis->block_size);
        const float *bits     = analysis->block_bits + (size_t)row * analysis->columns;
        uint8_t *line         = out->data[0] + (ptrdiff_t)y * out->linesize[0];

        for (int x = 0; x < out->width; x++) {
            const int column        = x / analysis->block_size;
            const int block_columns = FFMIN(analysis->block_size, out->width - column * analysis->block_size);

            line[x] = av_clip_uint8(lrint(255 * bits[column] / (s->white * block_rows * block_columns)));
        }
    }
    return out;
}

static int filter_frame(AVFilterLink *inlink, AVFrame *in)
{
    AVFilterContext *ctx = inlink->dst;
    NLVCFilter *s = ctx->priv;
    nlvc_frame frame = { .pts = s->frames++, .duration = 1 };
    nlvc_packet packet;
    nlvc_analysis analysis;
    nlvc_status status;
    AVFrame *out = in;
    int ret;

    nlvc_set_planes(&frame, in);
    status = nlvc_encoder_send(s->encoder, &frame);
    if (status == NLVC_OK)
        status = nlvc_encoder_receive(s->encoder, &packet);
    if (status == NLVC_OK)
        status = nlvc_encoder_analysis(s->encoder, &analysis);
    if (status < 0) {
        ret = nlvc_averror(ctx, status);
        goto fail;
    }
    if (s->heatmap) {
        out = draw_heatmap(s, ctx->outputs[0], in, &analysis);
        if (!out) {
            ret = AVERROR(ENOMEM);
            goto fail;
        }
        av_frame_free(&in);
    }
    ret = describe(s, out, &analysis, packet.keyframe);
    if (ret < 0) {
        av_frame_free(&out);
        return ret;
    }
    return ff_filter_frame(ctx->outputs[0], out);

fail:
    av_frame_free(&in);
    return ret;
}

static av_cold void uninit(AVFilterContext *ctx)
{
    NLVCFilter *s = ctx->priv;

    nlvc_encoder_close(s->encoder);
    s->encoder = NULL;
}

#define OFFSET(x) offsetof(NLVCFilter, x)
#define FLAGS AV_OPT_FLAG_FILTERING_PARAM | AV_OPT_FLAG_VIDEO_PARAM
static const AVOption nlvc_options[] = {
    { "effort", "how much is fitted to the content, as in the encoder",
      OFFSET(effort), AV_OPT_TYPE_INT, { .i64 = 0 }, 0, 9, FLAGS },
    { "model", "name of a model (fast, standard, large), or path of a file that ends in .nlvm",
      OFFSET(model), AV_OPT_TYPE_STRING, { .str = "standard" }, 0, 0, FLAGS },
    { "model_path", "folders and files, separated by ':', in which models are looked for first",
      OFFSET(model_path), AV_OPT_TYPE_STRING, { .str = NULL }, 0, 0, FLAGS },
    { "heatmap", "give out, in place of the picture, the cost of each block in grey",
      OFFSET(heatmap), AV_OPT_TYPE_BOOL, { .i64 = 0 }, 0, 1, FLAGS },
    { "white", "bits per pixel that the heat map shows as white",
      OFFSET(white), AV_OPT_TYPE_DOUBLE, { .dbl = 12 }, 0.01, 100, FLAGS },
    { "codec_threads", "processor threads of the codec; 0: one for each processor",
      OFFSET(threads), AV_OPT_TYPE_INT, { .i64 = 0 }, 0, 256, FLAGS },
    { NULL },
};

AVFILTER_DEFINE_CLASS(nlvc);

static const AVFilterPad inputs[] = {
    {
        .name         = "default",
        .type         = AVMEDIA_TYPE_VIDEO,
        .filter_frame = filter_frame,
        .config_props = config_input,
    },
};

static const AVFilterPad outputs[] = {
    {
        .name = "default",
        .type = AVMEDIA_TYPE_VIDEO,
    },
};

const AVFilter ff_vf_nlvc = {
    .name        = "nlvc",
    .description = NULL_IF_CONFIG_SMALL("Measure what frames cost as NLVC lossless video."),
    .priv_size   = sizeof(NLVCFilter),
    .priv_class  = &nlvc_class,
    .uninit      = uninit,
    FILTER_INPUTS(inputs),
    FILTER_OUTPUTS(outputs),
    FILTER_QUERY_FUNC(query_formats),
};
