/* nlvcdec: NLVC packets to raw video. Keyframes describe themselves, so the demuxer need not tell more than the name.
 */
#include <gst/video/gstvideodecoder.h>

#include "gstnlvc.h"

GST_DEBUG_CATEGORY_STATIC(nlvcdec_debug);
#define GST_CAT_DEFAULT nlvcdec_debug

typedef struct {
    GstVideoDecoder parent;
    nlvc_decoder* decoder;
    GstVideoCodecState* input;
    nlvc_format format; /* of the output that was negotiated; no width: none yet */
    gchar** values;     /* of libnlvc's options, NULL: default */
} GstNlvcDec;

typedef struct {
    GstVideoDecoderClass parent;
} GstNlvcDecClass;

G_DEFINE_TYPE(GstNlvcDec, gst_nlvc_dec, GST_TYPE_VIDEO_DECODER)
GST_ELEMENT_REGISTER_DEFINE(nlvcdec, "nlvcdec", GST_RANK_PRIMARY, gst_nlvc_dec_get_type())

/* Matroska names the codec by the FOURCC of its BITMAPINFOHEADER. */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-nlvc; video/x-unknown, fourcc = (string) NLVC"));

static void close_decoder(GstNlvcDec* self) {
    nlvc_decoder_close(self->decoder);
    self->decoder = NULL;
    memset(&self->format, 0, sizeof(self->format));
    g_clear_pointer(&self->input, gst_video_codec_state_unref);
}

static gboolean set_format(GstVideoDecoder* base, GstVideoCodecState* state) {
    GstNlvcDec* self = (GstNlvcDec*)base;
    GstMapInfo header = GST_MAP_INFO_INIT;
    gchar** options = gst_nlvc_option_list(self->values, nlvc_decoder_option);

    close_decoder(self);
    self->input = gst_video_codec_state_ref(state);
    if (state->codec_data != NULL && !gst_buffer_map(state->codec_data, &header, GST_MAP_READ)) {
        g_strfreev(options);
        return FALSE;
    }
    const nlvc_status status = nlvc_decoder_open(header.data, header.size, (const char* const*)options, &self->decoder);
    if (state->codec_data != NULL) gst_buffer_unmap(state->codec_data, &header);
    g_strfreev(options);
    if (status != NLVC_OK) {
        GST_ELEMENT_ERROR(self, STREAM, DECODE, (NULL), ("%s", nlvc_error()));
        return FALSE;
    }
    return TRUE;
}

static gboolean negotiate(GstNlvcDec* self, const nlvc_format* format) {
    GstVideoDecoder* base = GST_VIDEO_DECODER(self);
    const GstVideoFormat video_format = gst_nlvc_video_format(format->name);

    if (self->format.width == format->width && self->format.height == format->height &&
        g_str_equal(self->format.name, format->name))
        return TRUE;
    if (video_format == GST_VIDEO_FORMAT_UNKNOWN) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT, (NULL), ("GStreamer has no video format for %s", format->name));
        return FALSE;
    }
    GstVideoCodecState* output = gst_video_decoder_set_output_state(base, video_format, (guint)format->width,
                                                                    (guint)format->height, self->input);
    if (g_str_has_prefix(format->name, "yuvj")) output->info.colorimetry.range = GST_VIDEO_COLOR_RANGE_0_255;
    gst_video_codec_state_unref(output);
    if (!gst_video_decoder_negotiate(base)) return FALSE;
    self->format = *format;
    return TRUE;
}

static GstFlowReturn receive(GstNlvcDec* self, GstVideoCodecFrame* frame) {
    GstVideoDecoder* base = GST_VIDEO_DECODER(self);
    GstVideoFrame mapped;
    nlvc_frame decoded = {0};
    GstFlowReturn flow = gst_video_decoder_allocate_output_frame(base, frame);

    if (flow != GST_FLOW_OK) return flow;
    GstVideoCodecState* output = gst_video_decoder_get_output_state(base);
    const gboolean ok = gst_video_frame_map(&mapped, &output->info, frame->output_buffer, GST_MAP_WRITE);
    gst_video_codec_state_unref(output);
    if (!ok) return GST_FLOW_ERROR;
    gst_nlvc_set_planes(&decoded, &mapped);
    const nlvc_status status = nlvc_decoder_receive_into(self->decoder, &decoded);
    gst_video_frame_unmap(&mapped);
    if (status != NLVC_OK) {
        GST_ELEMENT_ERROR(self, STREAM, DECODE, (NULL), ("%s", nlvc_error()));
        return GST_FLOW_ERROR;
    }
    if (decoded.keyframe) GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
    return GST_FLOW_OK;
}

static GstFlowReturn handle_frame(GstVideoDecoder* base, GstVideoCodecFrame* frame) {
    GstNlvcDec* self = (GstNlvcDec*)base;
    GstMapInfo packet;
    nlvc_format format;
    GstFlowReturn flow = GST_FLOW_OK;

    if (!gst_buffer_map(frame->input_buffer, &packet, GST_MAP_READ)) {
        gst_video_decoder_release_frame(base, frame);
        return GST_FLOW_ERROR;
    }
    nlvc_status status = nlvc_decoder_send(self->decoder, packet.data, packet.size);
    gst_buffer_unmap(frame->input_buffer, &packet);
    if (status == NLVC_BAD_STREAM) {
        // Damage ends at the next keyframe; the base class gives up after too much of it.
        GST_VIDEO_DECODER_ERROR(base, 1, STREAM, DECODE, (NULL), ("%s", nlvc_error()), flow);
        gst_video_decoder_drop_frame(base, frame);
        return flow;
    }
    if (status == NLVC_OK) status = nlvc_decoder_format(self->decoder, &format);
    if (status != NLVC_OK) {
        GST_ELEMENT_ERROR(self, STREAM, DECODE, (NULL), ("%s", nlvc_error()));
        flow = GST_FLOW_ERROR;
    } else {
        flow = negotiate(self, &format) ? receive(self, frame) : GST_FLOW_NOT_NEGOTIATED;
    }
    if (flow == GST_FLOW_OK) return gst_video_decoder_finish_frame(base, frame);
    nlvc_decoder_reset(self->decoder);  // nobody takes the frame that waits
    gst_video_decoder_release_frame(base, frame);
    return flow;
}

static gboolean flush(GstVideoDecoder* base) {
    GstNlvcDec* self = (GstNlvcDec*)base;
    if (self->decoder != NULL) nlvc_decoder_reset(self->decoder);
    return TRUE;
}

static gboolean stop(GstVideoDecoder* base) {
    close_decoder((GstNlvcDec*)base);
    return TRUE;
}

static void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    (void)spec;
    GstNlvcDec* self = (GstNlvcDec*)object;
    g_free(self->values[id - 1]);
    self->values[id - 1] = g_value_dup_string(value);
}

static void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    (void)spec;
    const GstNlvcDec* self = (const GstNlvcDec*)object;
    const gchar* set = self->values[id - 1];
    g_value_set_string(value, set != NULL ? set : nlvc_decoder_option((int)id - 1)->default_value);
}

static void finalize(GObject* object) {
    GstNlvcDec* self = (GstNlvcDec*)object;
    for (guint i = 0; i < gst_nlvc_option_count(nlvc_decoder_option); ++i) g_free(self->values[i]);
    g_free(self->values);
    G_OBJECT_CLASS(gst_nlvc_dec_parent_class)->finalize(object);
}

static void gst_nlvc_dec_init(GstNlvcDec* self) {
    self->values = g_new0(gchar*, gst_nlvc_option_count(nlvc_decoder_option));
    gst_video_decoder_set_packetized(GST_VIDEO_DECODER(self), TRUE);
}

static void gst_nlvc_dec_class_init(GstNlvcDecClass* klass) {
    GObjectClass* object_class = G_OBJECT_CLASS(klass);
    GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
    GstVideoDecoderClass* decoder_class = GST_VIDEO_DECODER_CLASS(klass);
    GstCaps* raw = gst_nlvc_raw_caps();

    GST_DEBUG_CATEGORY_INIT(nlvcdec_debug, "nlvcdec", 0, "NLVC decoder");
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    gst_nlvc_install_options(object_class, nlvc_decoder_option);
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_pad_template(element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, raw));
    gst_caps_unref(raw);
    gst_element_class_set_static_metadata(element_class, "NLVC decoder", "Codec/Decoder/Video",
                                          "Decodes NLVC lossless video", "The NLVC developers");
    decoder_class->set_format = set_format;
    decoder_class->handle_frame = handle_frame;
    decoder_class->flush = flush;
    decoder_class->stop = stop;
}
