/* The GStreamer plugin `nlvc`: elements nlvcdec and nlvcenc over libnlvc. */
#include "gstnlvc.h"

typedef struct {
    const char* pixel_format;
    GstVideoFormat format;
} FormatPair;

static const FormatPair format_pairs[] = {
    {"gray", GST_VIDEO_FORMAT_GRAY8},
    {"gray16le", GST_VIDEO_FORMAT_GRAY16_LE},
    {"yuv420p", GST_VIDEO_FORMAT_I420},
    {"yuv422p", GST_VIDEO_FORMAT_Y42B},
    {"yuv444p", GST_VIDEO_FORMAT_Y444},
    {"yuv411p", GST_VIDEO_FORMAT_Y41B},
    {"yuv410p", GST_VIDEO_FORMAT_YUV9},
    {"yuvj420p", GST_VIDEO_FORMAT_I420},
    {"yuvj422p", GST_VIDEO_FORMAT_Y42B},
    {"yuvj444p", GST_VIDEO_FORMAT_Y444},
    {"yuvj411p", GST_VIDEO_FORMAT_Y41B},
    {"yuv420p10le", GST_VIDEO_FORMAT_I420_10LE},
    {"yuv422p10le", GST_VIDEO_FORMAT_I422_10LE},
    {"yuv444p10le", GST_VIDEO_FORMAT_Y444_10LE},
    {"yuv420p12le", GST_VIDEO_FORMAT_I420_12LE},
    {"yuv422p12le", GST_VIDEO_FORMAT_I422_12LE},
    {"yuv444p12le", GST_VIDEO_FORMAT_Y444_12LE},
    {"yuv444p16le", GST_VIDEO_FORMAT_Y444_16LE},
    {"yuva420p", GST_VIDEO_FORMAT_A420},
    {"yuva420p10le", GST_VIDEO_FORMAT_A420_10LE},
    {"yuva422p10le", GST_VIDEO_FORMAT_A422_10LE},
    {"yuva444p10le", GST_VIDEO_FORMAT_A444_10LE},
    {"gbrp", GST_VIDEO_FORMAT_GBR},
    {"gbrp10le", GST_VIDEO_FORMAT_GBR_10LE},
    {"gbrp12le", GST_VIDEO_FORMAT_GBR_12LE},
    {"gbrap", GST_VIDEO_FORMAT_GBRA},
    {"gbrap10le", GST_VIDEO_FORMAT_GBRA_10LE},
    {"gbrap12le", GST_VIDEO_FORMAT_GBRA_12LE},
    {"nv12", GST_VIDEO_FORMAT_NV12},
    {"nv21", GST_VIDEO_FORMAT_NV21},
    {"nv16", GST_VIDEO_FORMAT_NV16},
    {"nv24", GST_VIDEO_FORMAT_NV24},
    {"p010le", GST_VIDEO_FORMAT_P010_10LE},
    {"p016le", GST_VIDEO_FORMAT_P016_LE},
    {"yuyv422", GST_VIDEO_FORMAT_YUY2},
    {"uyvy422", GST_VIDEO_FORMAT_UYVY},
    {"yvyu422", GST_VIDEO_FORMAT_YVYU},
    {"rgb24", GST_VIDEO_FORMAT_RGB},
    {"bgr24", GST_VIDEO_FORMAT_BGR},
    {"rgba", GST_VIDEO_FORMAT_RGBA},
    {"bgra", GST_VIDEO_FORMAT_BGRA},
    {"argb", GST_VIDEO_FORMAT_ARGB},
    {"abgr", GST_VIDEO_FORMAT_ABGR},
    {"rgb0", GST_VIDEO_FORMAT_RGBx},
    {"bgr0", GST_VIDEO_FORMAT_BGRx},
    {"0rgb", GST_VIDEO_FORMAT_xRGB},
    {"0bgr", GST_VIDEO_FORMAT_xBGR},
};

static gboolean is_coded(const char* pixel_format) {
    const char* name;
    for (int i = 0; (name = nlvc_pixel_format(i)) != NULL; ++i)
        if (g_str_equal(name, pixel_format)) return TRUE;
    return FALSE;
}

GstVideoFormat gst_nlvc_video_format(const char* pixel_format) {
    for (guint i = 0; i < G_N_ELEMENTS(format_pairs); ++i)
        if (g_str_equal(format_pairs[i].pixel_format, pixel_format)) return format_pairs[i].format;
    return GST_VIDEO_FORMAT_UNKNOWN;
}

const char* gst_nlvc_pixel_format(GstVideoFormat format) {
    for (guint i = 0; i < G_N_ELEMENTS(format_pairs); ++i)
        if (format_pairs[i].format == format && is_coded(format_pairs[i].pixel_format))
            return format_pairs[i].pixel_format;
    return NULL;
}

GstCaps* gst_nlvc_raw_caps(void) {
    GValue list = G_VALUE_INIT;
    g_value_init(&list, GST_TYPE_LIST);
    for (guint i = 0; i < G_N_ELEMENTS(format_pairs); ++i) {
        GValue name = G_VALUE_INIT;
        // Two pixel formats may be one for GStreamer: the first one stands for both.
        if (gst_nlvc_pixel_format(format_pairs[i].format) != format_pairs[i].pixel_format) continue;
        g_value_init(&name, G_TYPE_STRING);
        g_value_set_string(&name, gst_video_format_to_string(format_pairs[i].format));
        gst_value_list_append_and_take_value(&list, &name);
    }
    GstCaps* caps = gst_caps_new_empty_simple("video/x-raw");
    gst_caps_set_value(caps, "format", &list);
    g_value_unset(&list);
    return caps;
}

void gst_nlvc_set_planes(nlvc_frame* to, const GstVideoFrame* from) {
    for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES(from); ++p) {
        to->planes[p] = GST_VIDEO_FRAME_PLANE_DATA(from, p);
        to->strides[p] = GST_VIDEO_FRAME_PLANE_STRIDE(from, p);
    }
}

guint gst_nlvc_option_count(const nlvc_option* (*option)(int)) {
    guint count = 0;
    while (option((int)count) != NULL) ++count;
    return count;
}

void gst_nlvc_install_options(GObjectClass* object_class, const nlvc_option* (*option)(int)) {
    for (guint i = 0; i < gst_nlvc_option_count(option); ++i) {
        const nlvc_option* described = option((int)i);
        gchar* name = g_strdelimit(g_strdup(described->name), "_", '-');
        g_object_class_install_property(object_class, i + 1,
                                        g_param_spec_string(name, name, described->help, described->default_value,
                                                            G_PARAM_READWRITE | GST_PARAM_MUTABLE_READY));
        g_free(name);
    }
}

gchar** gst_nlvc_option_list(gchar* const* values, const nlvc_option* (*option)(int)) {
    const guint count = gst_nlvc_option_count(option);
    gchar** list = g_new0(gchar*, count + 1);
    guint given = 0;
    for (guint i = 0; i < count; ++i)
        if (values[i] != NULL) list[given++] = g_strdup_printf("%s=%s", option((int)i)->name, values[i]);
    return list;
}

static gboolean plugin_init(GstPlugin* plugin) {
    return GST_ELEMENT_REGISTER(nlvcdec, plugin) && GST_ELEMENT_REGISTER(nlvcenc, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, nlvc, "NLVC lossless video", plugin_init, NLVC_VERSION, "BSD",
                  "nlvc", "NLVC")
