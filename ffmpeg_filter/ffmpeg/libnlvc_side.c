#include "libnlvc_side.h"

#include <string.h>

#include "libavutil/avconfig.h"
#include "libavutil/error.h"
#include "libavutil/macros.h"

enum { COLOUR = 1, RATIO = 2, FIELDS = 3, FIRST_SIDE_DATA = 32 };

/* The kinds of AVFrameSideData that are plain bytes or plain numbers. Their numbers are FFmpeg's for ever; an FFmpeg
 * that does not know a kind yet passes it by. */
static const int kept_kinds[] = { 1, 6, 7, 11, 12, 14, 15, 16, 23, 26, 31 };

static int is_kept(int kind)
{
    for (int i = 0; i < FF_ARRAY_ELEMS(kept_kinds); i++)
        if (kept_kinds[i] == kind)
            return 1;
    return 0;
}

static void add(NLVCSide *side, int type, const uint8_t *data, size_t size)
{
    for (int i = 0; i < side->count; i++)
        if (side->entries[i].type == type)
            return;
    if (side->count < NLVC_MAX_SIDE && size > 0)
        side->entries[side->count++] = (nlvc_side){ .type = type, .data = data, .size = size };
}

static void add_numbers(NLVCSide *side, int type, uint8_t *room, const unsigned *values, int count)
{
    uint8_t *end = room;

    for (int i = 0; i < count; i++) {
        unsigned value = values[i];
        for (; value >= 0x80; value >>= 7)
            *end++ = (value & 0x7f) | 0x80;
        *end++ = value;
    }
    add(side, type, room, end - room);
}

static int interlaced(const AVFrame *frame)
{
#ifdef AV_FRAME_FLAG_INTERLACED
    return !!(frame->flags & AV_FRAME_FLAG_INTERLACED);
#else
    return !!frame->interlaced_frame;
#endif
}

static int top_first(const AVFrame *frame)
{
#ifdef AV_FRAME_FLAG_TOP_FIELD_FIRST
    return !!(frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST);
#else
    return !!frame->top_field_first;
#endif
}

void ff_nlvc_read_side(NLVCSide *side, const AVFrame *frame)
{
    const unsigned colour[] = { frame->color_range, frame->color_primaries, frame->color_trc, frame->colorspace,
                                frame->chroma_location };
    const unsigned ratio[]  = { frame->sample_aspect_ratio.num, frame->sample_aspect_ratio.den };
    const unsigned fields[] = { interlaced(frame) | top_first(frame) << 1, FFMAX(frame->repeat_pict, 0) };

    side->count = 0;
    if (frame->color_range != AVCOL_RANGE_UNSPECIFIED || frame->color_primaries != AVCOL_PRI_UNSPECIFIED ||
        frame->color_trc != AVCOL_TRC_UNSPECIFIED || frame->colorspace != AVCOL_SPC_UNSPECIFIED ||
        frame->chroma_location != AVCHROMA_LOC_UNSPECIFIED)
        add_numbers(side, COLOUR, side->colour, colour, 5);
    if (frame->sample_aspect_ratio.num > 0 && frame->sample_aspect_ratio.den > 0)
        add_numbers(side, RATIO, side->ratio, ratio, 2);
    if (fields[0] || fields[1])
        add_numbers(side, FIELDS, side->fields, fields, 2);
#if !AV_HAVE_BIGENDIAN /* the numbers of side data are little-endian in the stream */
    for (int i = 0; i < frame->nb_side_data; i++)
        if (is_kept(frame->side_data[i]->type))
            add(side, FIRST_SIDE_DATA + frame->side_data[i]->type, frame->side_data[i]->data, frame->side_data[i]->size);
#endif
}

/* Reads `count` numbers; what follows them is for later versions. */
static int read_numbers(const nlvc_side *entry, unsigned *values, int count)
{
    size_t at = 0;

    for (int i = 0; i < count; i++) {
        uint64_t value = 0;
        int shift = 0;
        for (;; shift += 7) {
            if (at >= entry->size || shift > 28)
                return AVERROR_INVALIDDATA;
            value |= (uint64_t)(entry->data[at] & 0x7f) << shift;
            if (entry->data[at++] < 0x80)
                break;
        }
        if (value > INT32_MAX)
            return AVERROR_INVALIDDATA;
        values[i] = value;
    }
    return 0;
}

static int write_colour(AVFrame *frame, const nlvc_side *entry)
{
    unsigned v[5];
    int ret = read_numbers(entry, v, 5);

    if (ret < 0)
        return ret;
    frame->color_range     = v[0];
    frame->color_primaries = v[1];
    frame->color_trc       = v[2];
    frame->colorspace      = v[3];
    frame->chroma_location = v[4];
    return 0;
}

static int write_fields(AVFrame *frame, const nlvc_side *entry)
{
    unsigned v[2];
    int ret = read_numbers(entry, v, 2);

    if (ret < 0)
        return ret;
#ifdef AV_FRAME_FLAG_INTERLACED
    if (v[0] & 1)
        frame->flags |= AV_FRAME_FLAG_INTERLACED;
    if (v[0] & 2)
        frame->flags |= AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
    frame->interlaced_frame = v[0] & 1;
    frame->top_field_first  = v[0] >> 1 & 1;
#endif
    frame->repeat_pict = v[1];
    return 0;
}

static int write_ratio(AVFrame *frame, const nlvc_side *entry)
{
    unsigned v[2];
    int ret = read_numbers(entry, v, 2);

    if (ret >= 0)
        frame->sample_aspect_ratio = (AVRational){ v[0], v[1] };
    return ret;
}

int ff_nlvc_write_side(AVFrame *frame, const nlvc_side *entries, int count)
{
    for (int i = 0; i < count; i++) {
        const nlvc_side *entry = &entries[i];
        const int kind = entry->type - FIRST_SIDE_DATA;
        int ret = 0;

        if (entry->type == COLOUR)
            ret = write_colour(frame, entry);
        else if (entry->type == RATIO)
            ret = write_ratio(frame, entry);
        else if (entry->type == FIELDS)
            ret = write_fields(frame, entry);
#if !AV_HAVE_BIGENDIAN
        else if (is_kept(kind) && av_frame_side_data_name(kind) && !av_frame_get_side_data(frame, kind)) {
            AVFrameSideData *data = av_frame_new_side_data(frame, kind, entry->size);
            if (!data)
                return AVERROR(ENOMEM);
            memcpy(data->data, entry->data, entry->size);
        }
#endif
        if (ret < 0)
            return ret;
    }
    return 0;
}
