// The C ABI: frames to packets.
#include <cmath>
#include <memory>

#include "c_api/options.h"
#include "c_api/support.h"
#include "encoder.h"
#include "in_use.h"

using namespace nlvc;

namespace {

/// Keyframes by time: whether the one that is due lies at `pts` or before.
class KeyframeClock {
  public:
    KeyframeClock(const EncoderOptions& options, const PictureFormat& format)
        : active_(!options.gop.has_value()),
          // Both sides of the comparison in microseconds over the denominator of the time base.
          interval_(static_cast<__int128>(std::llround(options.gop_seconds * 1e6)) * format.time_base_denominator),
          tick_(static_cast<__int128>(format.time_base_numerator) * 1000000) {}

    bool due(int64_t pts) const { return active_ && (static_cast<__int128>(pts) - last_) * tick_ >= interval_; }
    void saw_keyframe(int64_t pts) { last_ = pts; }

  private:
    bool active_;
    __int128 interval_, tick_;
    int64_t last_ = 0;
};

std::unique_ptr<Encoder> open(const PictureFormat& format, const EncoderOptions& options) {
    const std::string name = options.model_name();
    Bytes model = ModelSearch(options.model_path).by_name(name);
    try {
        return std::make_unique<Encoder>(format, std::move(model), options.settings);
    } catch (const BitstreamError& error) {
        throw ModelError("model " + name + ": " + error.what());
    }
}

/// The entries that the application gives.
void add_side(const nlvc_frame& frame, SideInformation& side) {
    require(frame.side_count >= 0 && (frame.side || frame.side_count == 0), "the side information is null");
    for (int i = 0; i < frame.side_count; ++i) {
        const nlvc_side& entry = frame.side[i];
        require((entry.type >= 1 && entry.type <= 3) || (entry.type >= 32 && entry.type < kMandatory),
                "side information has type 1 to 3 or 32 to 127");
        require(entry.data && entry.size > 0, "an entry of side information is empty");
        require(side.emplace(entry.type, Bytes(entry.data, entry.data + entry.size)).second,
                "a type of side information stands twice");
    }
}

}  // namespace

struct nlvc_encoder {
    nlvc_encoder(const PictureFormat& picture, EncoderOptions all)
        : options(std::move(all)),
          format(picture),
          pixels(pixel_format(picture.name)),
          encoder(open(picture, options)),
          clock(options, picture) {}

    /// Planes of a frame for the codec. Unused bits that differ become a plane of their own, from a keyframe on.
    std::vector<Plane> coded_planes(FrameContents& contents);

    EncoderOptions options;
    PictureFormat format;
    const PixelFormat& pixels;
    std::unique_ptr<Encoder> encoder;
    KeyframeClock clock;
    EncodedFrame coded;
    int64_t pts = 0, duration = 0;
    bool started = false;
    bool pending = false;  ///< a packet waits to be received
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
};

std::vector<Plane> nlvc_encoder::coded_planes(FrameContents& contents) {
    const bool coded_padding = format.alpha && !pixels.alpha;
    if (contents.padding && !coded_padding) {
        PictureFormat with_padding = format;
        with_padding.alpha = true;
        encoder = open(with_padding, options);
        format = with_padding;
    }
    if (contents.padding) {
        contents.planes.push_back(std::move(*contents.padding));
    } else if (coded_padding) {
        const auto constant = contents.side.find(kPaddingType);
        const int value = constant == contents.side.end() ? 0 : constant->second[0] | constant->second[1] << 8;
        require(value <= format.maximum(), "the unused words hold a value above the format's depth");
        contents.planes.emplace_back(format.width, format.height, static_cast<uint16_t>(value));
        contents.side.erase(kPaddingType);
    }
    return std::move(contents.planes);
}

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
        *data = encoder->encoder->sequence_header().data();
        *size = encoder->encoder->sequence_header().size();
        return NLVC_OK;
    });
}

nlvc_status nlvc_encoder_send(nlvc_encoder* encoder, const nlvc_frame* frame) {
    return guarded([&] {
        require(encoder && frame, "a pointer is null");
        const InUse in_use(encoder->busy);
        if (encoder->pending) return NLVC_AGAIN;
        require(!encoder->started || frame->pts > encoder->pts, "pts does not lie after that of the frame before");
        const bool keyframe = frame->keyframe != 0 || encoder->clock.due(frame->pts);
        FrameContents contents = read_frame(encoder->pixels, encoder->format.width, encoder->format.height,
                                            memory_planes(*frame, encoder->pixels));
        std::vector<Plane> planes = encoder->coded_planes(contents);
        add_side(*frame, contents.side);
        encoder->coded = encoder->encoder->encode(std::move(planes), frame->pts, frame->duration, keyframe,
                                                  std::move(contents.side));
        if (encoder->coded.keyframe) encoder->clock.saw_keyframe(frame->pts);
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
