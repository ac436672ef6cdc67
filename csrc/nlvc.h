/* libnlvc: the NLVC lossless video codec (docs/bitstream.md), C ABI.
 *
 * One object serves one stream and one thread at a time. Send a frame, receive its packet; send a packet, receive its
 * frame. What receive gives stays valid until the next send or close. Every function that can fail returns a status,
 * and nlvc_error() says in words what went wrong in the last failed call of the same thread. */
#ifndef NLVC_H
#define NLVC_H
#include <stddef.h>
#include <stdint.h>

#define NLVC_API __attribute__((visibility("default")))
#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NLVC_OK = 0,
    NLVC_AGAIN = 1,         /* send: receive first; receive: send first */
    NLVC_BAD_ARGUMENT = -1, /* the call is wrong */
    NLVC_BAD_STREAM = -2,   /* the packet is damaged; decoding can go on at the next keyframe */
    NLVC_NO_MODEL = -3,     /* find_model does not know the model that the stream names */
    NLVC_FAILED = -4        /* out of memory or another failure of the system */
} nlvc_status;

typedef struct {
    int width, height;    /* samples of plane 0, 1 .. 16384 */
    int layout;           /* 0 grey, 1 YUV, 2 RGB in the order G, B, R */
    int alpha;            /* 1: a last plane of full size */
    int depth;            /* bits of a sample, 8 .. 16 */
    int sx, sy;           /* log2 of the subsampling of planes 1 and 2, 0 .. 2 */
    int64_t time_base[2]; /* seconds per tick: numerator, denominator */
    char name[256];       /* the application's name of the layout, ASCII */
} nlvc_format;

typedef struct {
    nlvc_format format;    /* ignored by nlvc_encoder_send */
    const void* planes[4]; /* 8-bit samples at depth 8, else 16-bit ones of the machine's byte order */
    ptrdiff_t strides[4];  /* bytes from row to row */
    int64_t pts, duration; /* ticks */
    int keyframe;          /* encoder: 1 forces a keyframe */
} nlvc_frame;

typedef struct {
    const uint8_t* data;
    size_t size;
    int64_t pts, duration;
    int keyframe;
} nlvc_packet;

typedef struct {
    const void* model; /* a model file; copied */
    size_t model_size;
    int delta;             /* slope of the groups, 0 .. 2 */
    int keyframe_interval; /* frames at most; 0: only where forced or at scene cuts */
    int slices;            /* 1 .. 8; 0: automatic */
    int threads;           /* 1 .. 256; 0: one for each processor */
    int embed_model;       /* 1: in the first keyframe and the extradata */
    int scene_cuts;        /* 1: keyframes where the content changes */
} nlvc_settings;

/* Gives the model file with a SHA-256, valid until the next call with the decoder; returns 0 when it is unknown. */
typedef int (*nlvc_find_model)(void* opaque, const uint8_t hash[32], const void** model, size_t* size);

typedef struct nlvc_encoder nlvc_encoder;
typedef struct nlvc_decoder nlvc_decoder;

NLVC_API void nlvc_default_settings(nlvc_settings* settings);
NLVC_API nlvc_status nlvc_encoder_open(const nlvc_format* format, const nlvc_settings* settings,
                                       nlvc_encoder** encoder);
NLVC_API nlvc_status nlvc_encoder_send(nlvc_encoder* encoder, const nlvc_frame* frame);
NLVC_API nlvc_status nlvc_encoder_receive(nlvc_encoder* encoder, nlvc_packet* packet);
NLVC_API nlvc_status nlvc_encoder_extradata(const nlvc_encoder* encoder, const uint8_t** data, size_t* size);
NLVC_API void nlvc_encoder_close(nlvc_encoder* encoder);

NLVC_API nlvc_status nlvc_decoder_open(nlvc_find_model find_model, void* opaque, int threads, nlvc_decoder** decoder);
NLVC_API nlvc_status nlvc_decoder_send(nlvc_decoder* decoder, const void* packet, size_t size);
NLVC_API nlvc_status nlvc_decoder_receive(nlvc_decoder* decoder, nlvc_frame* frame);
NLVC_API void nlvc_decoder_close(nlvc_decoder* decoder);

NLVC_API const char* nlvc_error(void);   /* of this thread's last failed call, "" before one */
NLVC_API const char* nlvc_version(void); /* of the library, "major.minor.patch" */

#ifdef __cplusplus
}
#endif
#endif
