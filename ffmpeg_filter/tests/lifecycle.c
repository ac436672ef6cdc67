/* Everything that a codec goes through, for memory checkers: open, code, damage, reset, errors, close in all states. */
#include <nlvc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 52, HEIGHT = 35, FRAMES = 5, MOST = 1 << 16 };

#define EXPECT(condition)                                                             \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, nlvc_error()); \
            return 1;                                                                 \
        }                                                                             \
    } while (0)

/* Codes FRAMES frames into `packets`; closes the encoder while the last packet still waits. */
static int encode(const nlvc_format* format, uint8_t* memory, uint8_t (*packets)[MOST], size_t* sizes) {
    const char* options[] = {"model=fast", "effort=5",      "gop=3",      "slices=2",
                             "threads=2",  "embed_model=1", "analysis=1", NULL};
    const uint8_t hdr[] = {1, 0, 0, 0, 2, 0, 0, 0};
    const nlvc_side side = {46, hdr, sizeof(hdr)};
    nlvc_encoder* encoder;
    nlvc_packet packet;
    nlvc_analysis analysis;
    size_t row_bytes;
    int rows;
    EXPECT(nlvc_encoder_open(format, options, &encoder) == NLVC_OK);
    for (int t = 0; t <= FRAMES; ++t) {
        nlvc_frame frame = {.pts = t, .duration = 1, .side = &side, .side_count = t % 2};
        uint8_t* at = memory;
        for (int p = 0; nlvc_plane_size(format, p, &row_bytes, &rows) == NLVC_OK; ++p) {
            frame.planes[p] = at;
            frame.strides[p] = (ptrdiff_t)row_bytes;
            for (size_t i = 0; i < row_bytes * (size_t)rows; ++i)
                at[i] = (uint8_t)(i * 7 + (size_t)t * 3 + i / row_bytes);
            at += row_bytes * (size_t)rows;
        }
        EXPECT(nlvc_encoder_send(encoder, &frame) == NLVC_OK);
        EXPECT(nlvc_encoder_send(encoder, &frame) == NLVC_AGAIN);
        if (t == FRAMES) break;
        EXPECT(nlvc_encoder_analysis(encoder, &analysis) == NLVC_OK && analysis.block_bits != NULL);
        EXPECT(nlvc_encoder_receive(encoder, &packet) == NLVC_OK && packet.size <= MOST);
        EXPECT(nlvc_encoder_send(encoder, &frame) == NLVC_BAD_ARGUMENT); /* the same pts again */
        memcpy(packets[t], packet.data, packet.size);
        sizes[t] = packet.size;
    }
    nlvc_encoder_close(encoder);
    return 0;
}

static int decode(uint8_t (*packets)[MOST], const size_t* sizes) {
    nlvc_decoder* decoder;
    nlvc_frame frame = {0};
    EXPECT(nlvc_decoder_open(NULL, 0, NULL, &decoder) == NLVC_OK);
    for (int t = 0; t < FRAMES; ++t) {
        EXPECT(nlvc_decoder_send(decoder, packets[t], sizes[t]) == NLVC_OK);
        EXPECT(nlvc_decoder_receive(decoder, &frame) == NLVC_OK && frame.pts == t);
    }
    EXPECT(nlvc_decoder_reset(decoder) == NLVC_OK);
    EXPECT(nlvc_decoder_send(decoder, packets[1], sizes[1]) == NLVC_BAD_STREAM);
    EXPECT(nlvc_decoder_send(decoder, packets[3], sizes[3]) == NLVC_OK);
    EXPECT(nlvc_decoder_reset(decoder) == NLVC_OK); /* while a frame waits */
    for (size_t size = 0; size < sizes[0]; size += 97) EXPECT(nlvc_decoder_send(decoder, packets[0], size) < 0);
    for (size_t at = 0; at < sizes[0]; at += 61) { /* wrong anywhere: an error or, in the text of a name, a frame */
        packets[0][at] ^= 0x11;
        if (nlvc_decoder_send(decoder, packets[0], sizes[0]) == NLVC_OK) nlvc_decoder_receive(decoder, &frame);
        packets[0][at] ^= 0x11;
    }
    EXPECT(nlvc_decoder_send(decoder, packets[0], sizes[0]) == NLVC_OK);
    nlvc_decoder_close(decoder); /* while a frame waits */
    return 0;
}

int main(void) {
    static uint8_t packets[FRAMES][MOST], memory[WIDTH * HEIGHT * 8];
    static const char* const formats[] = {"yuv420p", "gbrap16le", "bgr0", "yuyv422"};
    size_t sizes[FRAMES];
    nlvc_format format;
    nlvc_encoder* encoder = NULL;
    const char* wrong[] = {"gop=x", NULL};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); ++i) {
        EXPECT(nlvc_format_init(&format, formats[i], WIDTH, HEIGHT, 1, 25) == NLVC_OK);
        if (encode(&format, memory, packets, sizes) != 0 || decode(packets, sizes) != 0) return 1;
        EXPECT(nlvc_encoder_open(&format, wrong, &encoder) == NLVC_BAD_ARGUMENT && encoder == NULL);
    }
    puts("all is well");
    return 0;
}
