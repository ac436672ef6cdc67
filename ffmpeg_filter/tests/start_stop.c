/* start_stop FILE CYCLES: plays a file through decodebin again and again, every other time not to its end, and prints
 * how many frames came out of each cycle. */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>

static gint frames;

static void count(GstElement* sink, GstBuffer* buffer, GstPad* pad, gpointer data) {
    (void)sink, (void)buffer, (void)pad, (void)data;
    g_atomic_int_inc(&frames);
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    gst_init(NULL, NULL);
    for (int cycle = 0; cycle < atoi(argv[2]); ++cycle) {
        gchar* text =
            g_strdup_printf("filesrc location=%s ! decodebin ! fakesink name=sink signal-handoffs=1", argv[1]);
        GstElement* pipeline = gst_parse_launch(text, NULL);
        GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
        GstBus* bus = gst_element_get_bus(pipeline);
        g_free(text);
        g_signal_connect(sink, "handoff", G_CALLBACK(count), NULL);
        g_atomic_int_set(&frames, 0);
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        GstMessage* message = NULL;
        do {
            message = gst_bus_timed_pop_filtered(bus, cycle % 2 ? GST_MSECOND : 60 * GST_SECOND,
                                                 GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
        } while (message == NULL && g_atomic_int_get(&frames) < 1);
        if (message != NULL && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) return 1;
        if (message != NULL) gst_message_unref(message);
        gst_element_set_state(pipeline, GST_STATE_NULL);
        printf("%d\n", g_atomic_int_get(&frames));
        gst_object_unref(bus);
        gst_object_unref(sink);
        gst_object_unref(pipeline);
    }
    return 0;
}
