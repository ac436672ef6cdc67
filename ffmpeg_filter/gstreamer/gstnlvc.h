/* What the elements of the plugin share. */
#pragma once
#include <gst/video/video.h>
#include <nlvc.h>

G_BEGIN_DECLS

GST_ELEMENT_REGISTER_DECLARE(nlvcdec)
GST_ELEMENT_REGISTER_DECLARE(nlvcenc)

/* GStreamer's format for a pixel format of libnlvc; GST_VIDEO_FORMAT_UNKNOWN where it has none. */
GstVideoFormat gst_nlvc_video_format(const char* pixel_format);
/* The reverse; NULL where libnlvc does not code the format. */
const char* gst_nlvc_pixel_format(GstVideoFormat format);
/* Raw video in all formats that both know. */
GstCaps* gst_nlvc_raw_caps(void);

/* Points libnlvc's frame to the planes of a mapped frame. */
void gst_nlvc_set_planes(nlvc_frame* to, const GstVideoFrame* from);

/* Properties for all options of libnlvc's list `option`: strings, each with its own name, default and explanation.
 * Option i is property i + 1. */
void gst_nlvc_install_options(GObjectClass* object_class, const nlvc_option* (*option)(int));
/* "name=value" for each option that `values` holds, in an array that g_strfreev frees. */
gchar** gst_nlvc_option_list(gchar* const* values, const nlvc_option* (*option)(int));
guint gst_nlvc_option_count(const nlvc_option* (*option)(int));

G_END_DECLS
