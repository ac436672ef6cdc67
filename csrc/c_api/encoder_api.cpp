// The C ABI: frames to packets.
#include "c_api/frame_codec.h"
#include "c_api/support.h"
#include "in_use.h"

using namespace nlvc;

namespace {

std::unique_ptr<FrameEncoder> make_encoder(const PictureFormat& format, const EncoderOptions& options) {
    if (options.bridge.use == BridgeUse::kAlways) return make_bridge_encoder(format, options);
    try {
        return make_native_encoder(format, options);
    } catch (const ModelError&) {
        if (options.bridge.use == BridgeUse::kNever || !has_interpreter(options.bridge)) throw;
    }
    return make_bridge_encoder(format, options);
}

/// The entries that the application gives.
SideInformation given_side(const nlvc_frame& frame) {
    SideInformation side;
    require(frame.side_count >= 0 && (frame.side || frame.side_count == 0), "the side information is null");
    for (int i = 0; i < frame.side_count; ++i) {
        const nlvc_side& entry = frame.side[i];
        require((entry.type >= 1 && entry.type <= 3) || (entry.type >= 32 && entry.type < kMandatory),
                "side information has type 1 to 3 or 32 to 127");
        require(entry.data && entry.size > 0, "an entry of side information is empty");
        require(side.emplace(entry.type, Bytes(entry.data, entry.data + entry.size)).second,
                "a type of side information stands twice");
    }
    return side;
}

}  // namespace

struct nlvc_encoder {
    nlvc_encoder(const PictureFormat& format, const EncoderOptions& options)
        : pixels(pixel_format(format.name)), encoder(make_encoder(format, options)) {}

    const PixelFormat& pixels;
    std::unique_ptr<FrameEncoder> encoder;
    EncodedFrame coded;
    int64_t pts = 0, duration = 0;
    bool started = false;
    bool pending = false;  ///< a packet waits to be received
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
};

nlvc_status nlvc_encoder_open(const nlvc_format* format, const char* const* options, nlvc_encoder** encoder) {
    return guarded([&] {
        require(format && encoder, "a pointer is null");
        *encoder = new nlvc_encoder(from_c(*format), parse_encoder_options(options));
        return NLVC_OK;
    });
}

nlvc_status nlvc_encoder_extradata(const nlvc_encoder* encoder, const uint8_t** data, size_t* size) {
    return guarded([&] {
        require(encoder && data && size, "a pointer is null");
        *data = encoder->encoder->extradata().data();
        *size = encoder->encoder->extradata().size();
        return NLVC_OK;
    });
}

nlvc_status nlvc_encoder_send(nlvc_encoder* encoder, const nlvc_frame* frame) {
    return guarded([&] {
        require(encoder && frame, "a pointer is null");
        const InUse in_use(encoder->busy);
        if (encoder->pending) return NLVC_AGAIN;
        require(!encoder->started || frame->pts > encoder->pts, "pts does not lie after that of the frame before");
        encoder->coded = encoder->encoder->encode({memory_planes(*frame, encoder->pixels), given_side(*frame),
                                                   frame->pts, frame->duration, frame->keyframe != 0});
        encoder->pts = frame->pts;
        encoder->duration = frame->duration;
        encoder->started = encoder->pending = true;
        return NLVC_OK;
    });
}

nlvc_status nlvc_encoder_receive(nlvc_encoder* encoder, nlvc_packet* packet) {
    return guarded([&] {
        require(encoder && packet, "a pointer is null");
        const InUse in_use(encoder->busy);
        if (!encoder->pending) return NLVC_AGAIN;
        const EncodedFrame& coded = encoder->coded;
        *packet = {coded.data.data(), coded.data.size(), encoder->pts, encoder->duration, coded.keyframe ? 1 : 0};
        encoder->pending = false;
        return NLVC_OK;
    });
}

nlvc_status nlvc_encoder_analysis(const nlvc_encoder* encoder, nlvc_analysis* analysis) {
    return guarded([&] {
        require(encoder && analysis, "a pointer is null");
        if (!encoder->started) return NLVC_AGAIN;
        const EncodedFrame& coded = encoder->coded;
        *analysis = {};
        analysis->bits = 8.0 * static_cast<double>(coded.data.size());
        std::copy(coded.plane_bits.begin(), coded.plane_bits.end(), analysis->plane_bits);
        analysis->motion_bits = coded.motion_bits;
        analysis->scene_change = coded.scene_change;
        analysis->block_size = kBlockBitsSize;
        analysis->columns = coded.block_bits.width;
        analysis->rows = coded.block_bits.height;
        analysis->block_bits = coded.block_bits.empty() ? nullptr : coded.block_bits.values.data();
        return NLVC_OK;
    });
}

void nlvc_encoder_close(nlvc_encoder* encoder) { delete encoder; }
