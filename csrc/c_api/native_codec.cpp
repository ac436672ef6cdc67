// Frames in memory through the codec of this library.
#include <cmath>

#include "c_api/frame_codec.h"
#include "c_api/models.h"
#include "c_api/support.h"
#include "decoder.h"
#include "model_difference.h"

namespace nlvc {
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
    const std::string name = options.model;
    const ModelSearch search(options.model_path);
    Bytes file = search.by_name(name);
    EncoderSettings settings = options.settings;
    if (is_model_difference(file)) settings.difference = file;
    try {
        std::optional<Bytes> model =
            whole_model(std::move(file), [&](const Hash& hash) { return search.by_hash(hash); });
        if (!model) throw ModelError("model " + name + " is a difference to a model that is not known here");
        return std::make_unique<Encoder>(format, std::move(*model), settings);
    } catch (const BitstreamError& error) {
        throw ModelError("model " + name + ": " + error.what());
    }
}

class NativeEncoder final : public FrameEncoder {
  public:
    NativeEncoder(const PictureFormat& format, const EncoderOptions& options)
        : options_(options),
          format_(format),
          pixels_(pixel_format(format.name)),
          encoder_(open(format, options)),
          clock_(options, format) {}

    const Bytes& extradata() const override { return encoder_->sequence_header(); }
    EncodedFrame encode(const GivenFrame& frame) override;

  private:
    std::vector<Plane> coded_planes(FrameContents& contents);

    EncoderOptions options_;
    PictureFormat format_;
    const PixelFormat& pixels_;
    std::unique_ptr<Encoder> encoder_;
    KeyframeClock clock_;
};

EncodedFrame NativeEncoder::encode(const GivenFrame& frame) {
    FrameContents contents = read_frame(pixels_, format_.width, format_.height, frame.memory);
    std::vector<Plane> planes = coded_planes(contents);
    contents.side.insert(frame.side.begin(), frame.side.end());
    const bool keyframe = frame.keyframe || clock_.due(frame.pts);
    EncodedFrame coded =
        encoder_->encode(std::move(planes), frame.pts, frame.duration, keyframe, std::move(contents.side));
    if (coded.keyframe) clock_.saw_keyframe(frame.pts);
    ++options_.settings.first_number;  // of an encoder that would have to take over now
    return coded;
}

/// Planes of a frame for the codec. Unused bits that differ become a plane of their own, from a keyframe on.
std::vector<Plane> NativeEncoder::coded_planes(FrameContents& contents) {
    const bool coded_padding = format_.alpha && !pixels_.alpha;
    if (contents.padding && !coded_padding) {
        PictureFormat with_padding = format_;
        with_padding.alpha = true;
        encoder_ = open(with_padding, options_);
        format_ = with_padding;
    }
    if (contents.padding) {
        contents.planes.push_back(std::move(*contents.padding));
    } else if (coded_padding) {
        const auto constant = contents.side.find(kPaddingType);
        const int value = constant == contents.side.end() ? 0 : constant->second[0] | constant->second[1] << 8;
        require(value <= format_.maximum(), "the unused words hold a value above the format's depth");
        contents.planes.emplace_back(format_.width, format_.height, static_cast<uint16_t>(value));
        contents.side.erase(kPaddingType);
    }
    return std::move(contents.planes);
}

/// Models for one stream: the one that its extradata embed, else those that are known here.
FindModel model_finder(const DecoderOptions& options, Bytes embedded) {
    const ModelSearch search(options.model_path);
    const std::optional<Bytes> own =
        whole_model(std::move(embedded), [&](const Hash& hash) { return search.by_hash(hash); });
    return [search, own](const Hash& hash) { return own && sha256(*own) == hash ? own : search.by_hash(hash); };
}

Bytes embedded_model(ByteView extradata) {
    return extradata.size == 0 ? Bytes() : read_sequence_header(extradata).model.copy();
}

class NativeDecoder final : public FrameDecoder {
  public:
    NativeDecoder(ByteView extradata, const DecoderOptions& options)
        : decoder_(model_finder(options, embedded_model(extradata)), options.threads) {}

    FrameHead decode(ByteView packet) override {
        frame_ = decoder_.decode(packet);
        pixels_ = &pixel_format_of(frame_.format);
        FrameHead head{frame_.format, frame_.side, frame_.pts, frame_.duration, frame_.keyframe};
        head.side.erase(kPaddingType);
        head.side.erase(kTrailingLumaType);
        return head;
    }
    void write(const MemoryPlanes& memory) const override {
        write_frame(*pixels_, frame_.format, frame_.planes, frame_.side, memory);
    }
    void reset() override { decoder_.reset(); }

  private:
    Decoder decoder_;
    DecodedFrame frame_;
    const PixelFormat* pixels_ = nullptr;
};

}  // namespace

std::unique_ptr<FrameEncoder> make_native_encoder(const PictureFormat& format, const EncoderOptions& options) {
    return std::make_unique<NativeEncoder>(format, options);
}

std::unique_ptr<FrameDecoder> make_native_decoder(ByteView extradata, const DecoderOptions& options) {
    return std::make_unique<NativeDecoder>(extradata, options);
}

}  // namespace nlvc
