/* libnlvc: the NLVC lossless video codec (docs/bitstream.md), C ABI.
 *
 * Send a frame, receive its packet; send a packet, receive its frame: one for each, without delay and in display order.
 * Every function that can fail returns a status, and nlvc_error() says in words what went wrong in the last failed call
 * of the same thread. Objects are independent of each other and may live in any threads; one object serves one call at
 * a time and refuses a second one.
 *
 * examples/c/round_trip.c shows all of it. */
#ifndef NLVC_H
#define NLVC_H
#include <stddef.h>
#include <stdint.h>

#define NLVC_API __attribute__((visibility("default")))
#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface: the number in the name libnlvc.so.N. Programs that load the library at run time compare it
 * with nlvc_abi(). */
#define NLVC_ABI 1

typedef enum {
    NLVC_OK = 0,
    NLVC_AGAIN = 1,         /* send: receive first; receive: send first */
    NLVC_BAD_ARGUMENT = -1, /* the call is wrong */
    NLVC_BAD_STREAM = -2,   /* the packet is damaged; decoding can go on at the next keyframe */
    NLVC_NO_MODEL = -3,     /* a model is unknown here, or no model at all */
    NLVC_FAILED = -4        /* out of memory or another failure of the system */
} nlvc_status;

/* A picture: made by nlvc_format_init, or told by a decoder. */
typedef struct {
    int width, height;    /* samples of plane 0, 1 .. 16384 */
    int layout;           /* 0 grey, 1 YUV, 2 RGB */
    int alpha;            /* 1: with a plane of alpha; also of unused bits that are not equal everywhere (bgr0) */
    int depth;            /* bits of a sample, 8 .. 16 */
    int sx, sy;           /* log2 of the subsampling of U and V, 0 .. 2 */
    int64_t time_base[2]; /* seconds per tick: numerator, denominator */
    char name[256];       /* pixel format: how samples lie in memory, FFmpeg's name ("yuv420p10le") */
} nlvc_format;

/* What a frame says beside its samples, by type: docs/bitstream.md section 9.1. */
typedef struct {
    int type; /* 1 colour, 2 aspect ratio, 3 fields, 32 + n: FFmpeg's frame side data of kind n */
    const uint8_t* data;
    size_t size;
} nlvc_side;

typedef struct {
    nlvc_format format;    /* decoder: of this frame; encoder: ignored */
    void* planes[4];       /* planes as they lie in memory in the pixel format; an encoder only reads them */
    ptrdiff_t strides[4];  /* bytes from row to row, also negative */
    int64_t pts, duration; /* ticks; an encoder wants pts that increase */
    int keyframe;          /* encoder: 1 forces a keyframe */
    const nlvc_side* side; /* all that holds for this frame, each type once; of types 1 to 3 and 32 to 127 */
    int side_count;
} nlvc_frame;

typedef struct {
    const uint8_t* data;
    size_t size;
    int64_t pts, duration; /* ticks */
    int keyframe;          /* 1: decoding can start here */
} nlvc_packet;

/* What the model thinks of a frame. */
typedef struct {
    double bits;          /* of the packet */
    double plane_bits[4]; /* in coding order: Y, U, V; G, B, R; then alpha */
    double motion_bits;
    double scene_change;     /* 0 still .. 1 and above: another scene; 0 where no motion was searched */
    int block_size;          /* blocks of 16x16 samples of plane 0 */
    int columns, rows;       /* of blocks */
    const float* block_bits; /* rows x columns: bits of all planes in each block; NULL without the option analysis */
} nlvc_analysis;

typedef struct {
    const char* name;
    const char* default_value;
    const char* help; /* unit, range and meaning */
} nlvc_option;

typedef struct nlvc_encoder nlvc_encoder;
typedef struct nlvc_decoder nlvc_decoder;

/* About the library ------------------------------------------------------------------------------------------------ */

NLVC_API const char* nlvc_version(void); /* "major.minor.patch" */
NLVC_API int nlvc_abi(void);             /* NLVC_ABI of the library */
NLVC_API const char* nlvc_error(void);   /* of this thread's last failed call, "" before one */

/* Lists: item 0, 1, ..., then NULL. The models are those that the library carries within itself. */
NLVC_API const char* nlvc_pixel_format(int index);
NLVC_API const char* nlvc_model(int index);
NLVC_API const nlvc_option* nlvc_encoder_option(int index);
NLVC_API const nlvc_option* nlvc_decoder_option(int index);

/* Formats ---------------------------------------------------------------------------------------------------------- */

/* Describes pictures of a pixel format; a tick is time_base_numerator / time_base_denominator seconds. */
NLVC_API nlvc_status nlvc_format_init(nlvc_format* format, const char* pixel_format, int width, int height,
                                      int64_t time_base_numerator, int64_t time_base_denominator);
/* Bytes in a row and rows of a plane in memory. NLVC_BAD_ARGUMENT when the format has no such plane. */
NLVC_API nlvc_status nlvc_plane_size(const nlvc_format* format, int plane, size_t* row_bytes, int* rows);

/* Encoder ---------------------------------------------------------------------------------------------------------- */

/* options: strings "name=value", the last one NULL; or NULL for defaults. See nlvc_encoder_option. */
NLVC_API nlvc_status nlvc_encoder_open(const nlvc_format* format, const char* const* options, nlvc_encoder** encoder);
/* What containers keep beside the packets; valid until close. */
NLVC_API nlvc_status nlvc_encoder_extradata(const nlvc_encoder* encoder, const uint8_t** data, size_t* size);
NLVC_API nlvc_status nlvc_encoder_send(nlvc_encoder* encoder, const nlvc_frame* frame);
/* The packet's data stay valid until the next send or close. */
NLVC_API nlvc_status nlvc_encoder_receive(nlvc_encoder* encoder, nlvc_packet* packet);
/* Of the last frame that was sent; valid until the next send or close. */
NLVC_API nlvc_status nlvc_encoder_analysis(const nlvc_encoder* encoder, nlvc_analysis* analysis);
NLVC_API void nlvc_encoder_close(nlvc_encoder* encoder);

/* Decoder ---------------------------------------------------------------------------------------------------------- */

/* extradata: as the container kept it, or NULL: every keyframe describes itself. options: as for the encoder. */
NLVC_API nlvc_status nlvc_decoder_open(const void* extradata, size_t size, const char* const* options,
                                       nlvc_decoder** decoder);
NLVC_API nlvc_status nlvc_decoder_send(nlvc_decoder* decoder, const void* packet, size_t size);
/* The format of the frame that waits to be received; before the first one that of the extradata, or NLVC_AGAIN. */
NLVC_API nlvc_status nlvc_decoder_format(const nlvc_decoder* decoder, nlvc_format* format);
/* The frame's planes are the decoder's memory, valid until the next send, reset or close. */
NLVC_API nlvc_status nlvc_decoder_receive(nlvc_decoder* decoder, nlvc_frame* frame);
/* The same into frame->planes with frame->strides, which have room for nlvc_decoder_format (see nlvc_plane_size). */
NLVC_API nlvc_status nlvc_decoder_receive_into(nlvc_decoder* decoder, nlvc_frame* frame);
/* After a jump in the stream: forgets the frame that waits, and all earlier frames; a keyframe must come next. */
NLVC_API nlvc_status nlvc_decoder_reset(nlvc_decoder* decoder);
NLVC_API void nlvc_decoder_close(nlvc_decoder* decoder);

#ifdef __cplusplus
}
#endif
#endif
