// The C ABI: packets to frames.
#include "c_api/options.h"
#include "c_api/support.h"
#include "decoder.h"

using namespace nlvc;

namespace {

/// Models for one stream: the one that its extradata embed, else those that are known here.
FindModel model_finder(const DecoderOptions& options, Bytes embedded) {
    return [search = ModelSearch(options.model_path), embedded = std::move(embedded)](const Hash& hash) {
        if (!embedded.empty() && sha256(embedded) == hash) return std::optional<Bytes>(embedded);
        return search.by_hash(hash);
    };
}

/// The stream's pixel format; a stream whose planes do not fit the name is damaged, or newer than this library.
const PixelFormat& memory_format(const PictureFormat& picture) {
    try {
        from_c(to_c(picture));
        return pixel_format(picture.name);
    } catch (const std::invalid_argument& error) {
        throw BitstreamError(std::string("sequence header: ") + error.what());
    }
}

}  // namespace

struct nlvc_decoder {
    nlvc_decoder(const DecoderOptions& options, Bytes embedded)
        : decoder(model_finder(options, std::move(embedded)), options.threads) {}

    Decoder decoder;
    DecodedFrame frame;
    const PixelFormat* memory = nullptr;     ///< of the last frame or of the extradata
    PictureFormat format;                    ///< likewise
    std::vector<nlvc_side> side;             ///< of the frame that was received last, into `frame`
    std::vector<std::vector<uint8_t>> lent;  ///< planes that the application borrows
    bool pending = false;                    ///< a frame waits to be received
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
};

/// Fills the planes and fields of `frame` with the frame that waits.
static void hand_over(nlvc_decoder& decoder, nlvc_frame& frame) {
    write_frame(*decoder.memory, decoder.format, decoder.frame.planes, decoder.frame.side,
                memory_planes(frame, *decoder.memory));
    decoder.side.clear();
    for (const auto& [type, bytes] : decoder.frame.side)
        if (type != kPaddingType && type != kTrailingLumaType)
            decoder.side.push_back({type, bytes.data(), bytes.size()});
    frame.side = decoder.side.data();
    frame.side_count = static_cast<int>(decoder.side.size());
    frame.format = to_c(decoder.frame.format);
    frame.pts = decoder.frame.pts;
    frame.duration = decoder.frame.duration;
    frame.keyframe = decoder.frame.keyframe ? 1 : 0;
    decoder.pending = false;
}

nlvc_status nlvc_decoder_open(const void* extradata, size_t size, const char* const* options, nlvc_decoder** decoder) {
    return guarded([&] {
        require(decoder && (extradata || size == 0), "a pointer is null");
        const DecoderOptions parsed = parse_decoder_options(options);
        if (size == 0) {
            *decoder = new nlvc_decoder(parsed, {});
            return NLVC_OK;
        }
        const Sequence sequence = read_sequence_header({static_cast<const uint8_t*>(extradata), size});
        const PixelFormat& memory = memory_format(sequence.format);
        *decoder = new nlvc_decoder(parsed, sequence.model.copy());
        (*decoder)->format = sequence.format;
        (*decoder)->memory = &memory;
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_send(nlvc_decoder* decoder, const void* packet, size_t size) {
    return guarded([&] {
        require(decoder && (packet || size == 0), "a pointer is null");
        const InUse in_use(decoder->busy);
        if (decoder->pending) return NLVC_AGAIN;
        DecodedFrame frame = decoder->decoder.decode({static_cast<const uint8_t*>(packet), size});
        decoder->memory = &memory_format(frame.format);
        decoder->format = frame.format;
        decoder->frame = std::move(frame);
        decoder->pending = true;
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_format(const nlvc_decoder* decoder, nlvc_format* format) {
    return guarded([&] {
        require(decoder && format, "a pointer is null");
        if (decoder->memory == nullptr) return NLVC_AGAIN;
        *format = to_c(decoder->format);
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_receive(nlvc_decoder* decoder, nlvc_frame* frame) {
    return guarded([&] {
        require(decoder && frame, "a pointer is null");
        const InUse in_use(decoder->busy);
        if (!decoder->pending) return NLVC_AGAIN;
        decoder->lent.clear();
        for (int p = 0; p < static_cast<int>(decoder->memory->memory.size()); ++p) {
            const size_t row_bytes = decoder->memory->row_bytes(p, decoder->format.width);
            const int rows = decoder->memory->rows(p, decoder->format.height);
            decoder->lent.emplace_back(row_bytes * static_cast<size_t>(rows));
            frame->planes[p] = decoder->lent.back().data();
            frame->strides[p] = static_cast<ptrdiff_t>(row_bytes);
        }
        hand_over(*decoder, *frame);
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_receive_into(nlvc_decoder* decoder, nlvc_frame* frame) {
    return guarded([&] {
        require(decoder && frame, "a pointer is null");
        const InUse in_use(decoder->busy);
        if (!decoder->pending) return NLVC_AGAIN;
        hand_over(*decoder, *frame);
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_reset(nlvc_decoder* decoder) {
    return guarded([&] {
        require(decoder, "a pointer is null");
        const InUse in_use(decoder->busy);
        decoder->decoder.reset();
        decoder->pending = false;
        return NLVC_OK;
    });
}

void nlvc_decoder_close(nlvc_decoder* decoder) { delete decoder; }
