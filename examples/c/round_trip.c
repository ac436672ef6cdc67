/* Moving stripes to NLVC packets and back with libnlvc:
 *     cc round_trip.c $(pkg-config --cflags --libs nlvc) -o round_trip && ./round_trip */
#include <nlvc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 160, HEIGHT = 120, FRAMES = 5 };

static void check(nlvc_status status, const char* what) {
    if (status == NLVC_OK) return;
    fprintf(stderr, "%s: %s\n", what, nlvc_error());
    exit(1);
}

int main(void) {
    const char* options[] = {"model=fast", "gop=4", NULL}; /* "name=value"; nlvc_encoder_option lists them */
    nlvc_format format, found;
    nlvc_encoder* encoder;
    nlvc_decoder* decoder;
    nlvc_frame frame = {0}, decoded = {0};
    nlvc_packet packet;
    const uint8_t* extradata;
    size_t extradata_size, row_bytes[3], total = 0;
    int rows[3];

    check(nlvc_format_init(&format, "yuv420p", WIDTH, HEIGHT, 1, 25), "format");
    check(nlvc_encoder_open(&format, options, &encoder), "encoder");
    check(nlvc_encoder_extradata(encoder, &extradata, &extradata_size), "extradata");
    check(nlvc_decoder_open(extradata, extradata_size, NULL, &decoder), "decoder");
    check(nlvc_decoder_format(decoder, &found), "decoder's format");
    printf("%s, %dx%d, extradata of %zu bytes\n", found.name, found.width, found.height, extradata_size);

    for (int p = 0; p < 3; ++p) { /* memory as the format wants it; any strides will do */
        check(nlvc_plane_size(&format, p, &row_bytes[p], &rows[p]), "plane");
        frame.strides[p] = (ptrdiff_t)row_bytes[p];
        frame.planes[p] = malloc(row_bytes[p] * (size_t)rows[p]);
        if (frame.planes[p] == NULL) return 1;
    }
    for (int t = 0; t < FRAMES; ++t) {
        for (int p = 0; p < 3; ++p)
            for (size_t i = 0; i < row_bytes[p] * (size_t)rows[p]; ++i)
                ((uint8_t*)frame.planes[p])[i] = (uint8_t)((i % row_bytes[p] + (size_t)t) * 3 + (size_t)p);
        frame.pts = t;
        frame.duration = 1;
        check(nlvc_encoder_send(encoder, &frame), "send a frame");
        check(nlvc_encoder_receive(encoder, &packet), "receive a packet");
        check(nlvc_decoder_send(decoder, packet.data, packet.size), "send a packet");
        check(nlvc_decoder_receive(decoder, &decoded), "receive a frame");
        for (int p = 0; p < 3; ++p)
            for (int y = 0; y < rows[p]; ++y)
                if (memcmp((char*)decoded.planes[p] + y * decoded.strides[p],
                           (char*)frame.planes[p] + y * frame.strides[p], row_bytes[p]) != 0)
                    return 1;
        printf("frame %d: %zu bytes%s\n", t, packet.size, packet.keyframe ? ", keyframe" : "");
        total += packet.size;
    }
    printf("%d frames came back exactly from %zu bytes\n", FRAMES, total);
    for (int p = 0; p < 3; ++p) free(frame.planes[p]);
    nlvc_encoder_close(encoder);
    nlvc_decoder_close(decoder);
    return 0;
}
