/* nlvcenc: raw video to NLVC packets, video/x-nlvc. */
#include <gst/video/gstvideoencoder.h>

#include "gstnlvc.h"

GST_DEBUG_CATEGORY_STATIC(nlvcenc_debug);
#define GST_CAT_DEFAULT nlvcenc_debug

typedef struct {
    GstVideoEncoder parent;
    nlvc_encoder* encoder;
    GstVideoInfo info;
    gchar** values; /* of libnlvc's options, NULL: default */
} GstNlvcEnc;

typedef struct {
    GstVideoEncoderClass parent;
} GstNlvcEncClass;

G_DEFINE_TYPE(GstNlvcEnc, gst_nlvc_enc, GST_TYPE_VIDEO_ENCODER)
GST_ELEMENT_REGISTER_DEFINE(nlvcenc, "nlvcenc", GST_RANK_PRIMARY, gst_nlvc_enc_get_type())

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-nlvc"));

static void close_encoder(GstNlvcEnc* self) {
    nlvc_encoder_close(self->encoder);
    self->encoder = NULL;
}

static gboolean fail(GstNlvcEnc* self) {
    GST_ELEMENT_ERROR(self, STREAM, ENCODE, (NULL), ("%s", nlvc_error()));
    return FALSE;
}

static gboolean set_format(GstVideoEncoder* base, GstVideoCodecState* state) {
    GstNlvcEnc* self = (GstNlvcEnc*)base;
    nlvc_format format;
    const uint8_t* header;
    size_t size;

    close_encoder(self);
    self->info = state->info;
    // GStreamer counts time in nanoseconds.
    if (nlvc_format_init(&format, gst_nlvc_pixel_format(GST_VIDEO_INFO_FORMAT(&state->info)),
                         GST_VIDEO_INFO_WIDTH(&state->info), GST_VIDEO_INFO_HEIGHT(&state->info), 1,
                         (int64_t)GST_SECOND) != NLVC_OK)
        return fail(self);
    gchar** options = gst_nlvc_option_list(self->values, nlvc_encoder_option);
    const nlvc_status status = nlvc_encoder_open(&format, (const char* const*)options, &self->encoder);
    g_strfreev(options);
    if (status != NLVC_OK || nlvc_encoder_extradata(self->encoder, &header, &size) != NLVC_OK) return fail(self);

    GstVideoCodecState* output =
        gst_video_encoder_set_output_state(base, gst_caps_new_empty_simple("video/x-nlvc"), state);
    output->codec_data = gst_buffer_new_memdup(header, size);
    gst_video_codec_state_unref(output);
    return gst_video_encoder_negotiate(base);
}

static GstFlowReturn handle_frame(GstVideoEncoder* base, GstVideoCodecFrame* frame) {
    GstNlvcEnc* self = (GstNlvcEnc*)base;
    GstVideoFrame mapped;
    nlvc_frame in = {.pts = (int64_t)frame->pts, .keyframe = GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame) ? 1 : 0};
    nlvc_packet packet;

    if (GST_CLOCK_TIME_IS_VALID(frame->duration)) in.duration = (int64_t)frame->duration;
    if (!gst_video_frame_map(&mapped, &self->info, frame->input_buffer, GST_MAP_READ)) {
        gst_video_encoder_finish_frame(base, frame);
        return GST_FLOW_ERROR;
    }
    gst_nlvc_set_planes(&in, &mapped);
    nlvc_status status = nlvc_encoder_send(self->encoder, &in);
    gst_video_frame_unmap(&mapped);
    if (status == NLVC_OK) status = nlvc_encoder_receive(self->encoder, &packet);
    if (status != NLVC_OK) {
        fail(self);
        gst_video_encoder_finish_frame(base, frame);
        return GST_FLOW_ERROR;
    }
    frame->output_buffer = gst_buffer_new_memdup(packet.data, packet.size);
    frame->dts = frame->pts;
    if (packet.keyframe) GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
    return gst_video_encoder_finish_frame(base, frame);
}

static gboolean stop(GstVideoEncoder* base) {
    close_encoder((GstNlvcEnc*)base);
    return TRUE;
}

static void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    (void)spec;
    GstNlvcEnc* self = (GstNlvcEnc*)object;
    g_free(self->values[id - 1]);
    self->values[id - 1] = g_value_dup_string(value);
}

static void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    (void)spec;
    const GstNlvcEnc* self = (const GstNlvcEnc*)object;
    const gchar* set = self->values[id - 1];
    g_value_set_string(value, set != NULL ? set : nlvc_encoder_option((int)id - 1)->default_value);
}

static void finalize(GObject* object) {
    GstNlvcEnc* self = (GstNlvcEnc*)object;
    for (guint i = 0; i < gst_nlvc_option_count(nlvc_encoder_option); ++i) g_free(self->values[i]);
    g_free(self->values);
    G_OBJECT_CLASS(gst_nlvc_enc_parent_class)->finalize(object);
}

static void gst_nlvc_enc_init(GstNlvcEnc* self) {
    self->values = g_new0(gchar*, gst_nlvc_option_count(nlvc_encoder_option));
}

static void gst_nlvc_enc_class_init(GstNlvcEncClass* klass) {
    GObjectClass* object_class = G_OBJECT_CLASS(klass);
    GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
    GstVideoEncoderClass* encoder_class = GST_VIDEO_ENCODER_CLASS(klass);
    GstCaps* raw = gst_nlvc_raw_caps();

    GST_DEBUG_CATEGORY_INIT(nlvcenc_debug, "nlvcenc", 0, "NLVC encoder");
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    gst_nlvc_install_options(object_class, nlvc_encoder_option);
    gst_element_class_add_pad_template(element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, raw));
    gst_caps_unref(raw);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "NLVC encoder", "Codec/Encoder/Video",
                                          "Codes video losslessly as NLVC", "The NLVC developers");
    encoder_class->set_format = set_format;
    encoder_class->handle_frame = handle_frame;
    encoder_class->stop = stop;
}
