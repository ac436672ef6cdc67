// The C ABI: packets to frames.
#include "c_api/frame_codec.h"
#include "c_api/support.h"
#include "in_use.h"
#include "packet.h"

using namespace nlvc;

struct nlvc_decoder {
    nlvc_decoder(ByteView header, DecoderOptions all) : options(std::move(all)), extradata(header.copy()) {
        native = options.bridge.use != BridgeUse::kAlways;
        decoder = native ? make_native_decoder(extradata, options) : make_bridge_decoder(extradata, options);
    }

    /// A stream whose model is unknown here may be known to the Python process.
    FrameHead decode(ByteView packet) {
        try {
            return decoder->decode(packet);
        } catch (const MissingModelError&) {
            if (!native || options.bridge.use == BridgeUse::kNever || !has_interpreter(options.bridge)) throw;
        }
        decoder = make_bridge_decoder(extradata, options);
        native = false;
        return decoder->decode(packet);
    }

    DecoderOptions options;
    Bytes extradata;
    bool native;
    std::unique_ptr<FrameDecoder> decoder;
    FrameHead head;                          ///< of the last frame; format alone: of the extradata
    const PixelFormat* pixels = nullptr;     ///< likewise
    std::vector<nlvc_side> side;             ///< of the frame that was received last, into `head`
    std::vector<std::vector<uint8_t>> lent;  ///< planes that the application borrows
    bool pending = false;                    ///< a frame waits to be received
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
};

/// Fills the planes and fields of `frame` with the frame that waits.
static void hand_over(nlvc_decoder& decoder, nlvc_frame& frame) {
    decoder.decoder->write(memory_planes(frame, *decoder.pixels));
    decoder.side.clear();
    for (const auto& [type, bytes] : decoder.head.side) decoder.side.push_back({type, bytes.data(), bytes.size()});
    frame.side = decoder.side.data();
    frame.side_count = static_cast<int>(decoder.side.size());
    frame.format = to_c(decoder.head.format);
    frame.pts = decoder.head.pts;
    frame.duration = decoder.head.duration;
    frame.keyframe = decoder.head.keyframe ? 1 : 0;
    decoder.pending = false;
}

nlvc_status nlvc_decoder_open(const void* extradata, size_t size, const char* const* options, nlvc_decoder** decoder) {
    return guarded([&] {
        require(decoder && (extradata || size == 0), "a pointer is null");
        const ByteView header(static_cast<const uint8_t*>(extradata), size);
        auto opened = std::make_unique<nlvc_decoder>(header, parse_decoder_options(options));
        if (size > 0) {
            opened->head.format = read_sequence_header(header).format;
            opened->pixels = &pixel_format_of(opened->head.format);
        }
        *decoder = opened.release();
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_send(nlvc_decoder* decoder, const void* packet, size_t size) {
    return guarded([&] {
        require(decoder && (packet || size == 0), "a pointer is null");
        const InUse in_use(decoder->busy);
        if (decoder->pending) return NLVC_AGAIN;
        decoder->head = decoder->decode({static_cast<const uint8_t*>(packet), size});
        decoder->pixels = &pixel_format(decoder->head.format.name);
        decoder->pending = true;
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_format(const nlvc_decoder* decoder, nlvc_format* format) {
    return guarded([&] {
        require(decoder && format, "a pointer is null");
        if (decoder->pixels == nullptr) return NLVC_AGAIN;
        *format = to_c(decoder->head.format);
        return NLVC_OK;
    });
}

nlvc_status nlvc_decoder_receive(nlvc_decoder* decoder, nlvc_frame* frame) {
    return guarded([&] {
        require(decoder && frame, "a pointer is null");
        const InUse in_use(decoder->busy);
        if (!decoder->pending) return NLVC_AGAIN;
        decoder->lent.clear();
        for (int p = 0; p < static_cast<int>(decoder->pixels->memory.size()); ++p) {
            const size_t row_bytes = decoder->pixels->row_bytes(p, decoder->head.format.width);
            const int rows = decoder->pixels->rows(p, decoder->head.format.height);
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
        decoder->decoder->reset();
        decoder->pending = false;
        return NLVC_OK;
    });
}

void nlvc_decoder_close(nlvc_decoder* decoder) { delete decoder; }
