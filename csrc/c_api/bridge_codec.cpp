// Frames in memory through the codec of a Python process, `python -m pynlvc serve`: for what only the package can do.
// pynlvc/bridge/messages.py has the protocol.
#include <cstdlib>
#include <cstring>

#include "c_api/child_process.h"
#include "c_api/frame_codec.h"
#include "c_api/models.h"
#include "nlvc.h"

namespace nlvc {
namespace {

constexpr int kVersion = 1;                         ///< of the messages
constexpr uint64_t kMostBytes = uint64_t{1} << 31;  ///< in a message

std::string interpreter(const BridgeOptions& options) {
    if (!options.python.empty()) return options.python;
    const char* environment = std::getenv("NLVC_PYTHON");
    return environment != nullptr ? environment : "";
}

/// "python -m pynlvc serve".
std::vector<std::string> command(const BridgeOptions& options) {
    const std::string python = interpreter(options);
    if (python.empty())
        throw std::invalid_argument("the Python process needs an interpreter: set NLVC_PYTHON or the option python");
    return {python, "-m", "pynlvc", "serve"};
}

void sized(Writer& out, ByteView bytes) {
    out.u32(static_cast<uint32_t>(bytes.size));
    out.append(bytes);
}

void text(Writer& out, const std::string& value) {
    sized(out, {reinterpret_cast<const uint8_t*>(value.data()), value.size()});
}

void i64(Writer& out, int64_t value) {
    out.u32(static_cast<uint32_t>(value));
    out.u32(static_cast<uint32_t>(static_cast<uint64_t>(value) >> 32));
}

int64_t i64(Reader& in, const char* field) {
    const uint64_t low = in.u32(field);
    return static_cast<int64_t>(low | static_cast<uint64_t>(in.u32(field)) << 32);
}

void write_options(Writer& out, const std::vector<std::string>& given) {
    out.u8(static_cast<int>(given.size()));
    for (const std::string& option : given) text(out, option);
}

[[noreturn]] void rethrow(ByteView body) {
    Reader in(body, "answer");
    const int status = in.i8("status");
    const ByteView words = in.take(in.remaining(), "text");
    const std::string text(words.data, words.data + words.size);
    if (status == NLVC_BAD_ARGUMENT) throw std::invalid_argument(text);
    if (status == NLVC_BAD_STREAM) throw BitstreamError(text);
    if (status == NLVC_NO_MODEL) throw ModelError(text);
    throw std::runtime_error(text);
}

class Bridge {
  public:
    explicit Bridge(const BridgeOptions& options) : child_(command(options), options.timeout_seconds) {}

    /// Sends a request and gives the body of its answer, which must be of the kind `expected`.
    Bytes ask(char kind, ByteView body, char expected) {
        if (body.size > kMostBytes) throw std::invalid_argument("a frame is too large for the Python process");
        Writer head;
        head.u8(kind);
        head.u32(static_cast<uint32_t>(body.size));
        child_.write(head.bytes);
        child_.write(body);
        uint8_t answer[5];
        child_.read(answer, sizeof(answer));
        Reader in({answer, sizeof(answer)}, "answer");
        const char got = static_cast<char>(in.u8("kind"));
        const uint32_t size = in.u32("size");
        if ((got != expected && got != 'x') || size > kMostBytes)
            throw std::runtime_error("the Python process answers in a way that this library does not know");
        Bytes out(size);
        child_.read(out.data(), size);
        if (got == 'x') rethrow(out);
        return out;
    }

  private:
    ChildProcess child_;
};

class BridgeEncoder final : public FrameEncoder {
  public:
    BridgeEncoder(const PictureFormat& format, const EncoderOptions& options)
        : format_(format), pixels_(pixel_format(format.name)), bridge_(options.bridge) {
        Writer body;
        body.u8(kVersion);
        text(body, format.name);
        body.u32(static_cast<uint32_t>(format.width));
        body.u32(static_cast<uint32_t>(format.height));
        i64(body, format.time_base_numerator);
        i64(body, format.time_base_denominator);
        write_options(body, options.given);
        extradata_ = bridge_.ask('e', body.bytes, 'h');
    }

    const Bytes& extradata() const override { return extradata_; }

    EncodedFrame encode(const GivenFrame& frame) override {
        Writer body;
        i64(body, frame.pts);
        i64(body, frame.duration);
        body.u8(frame.keyframe ? 1 : 0);
        body.u8(static_cast<int>(frame.side.size()));
        for (const auto& [type, bytes] : frame.side) {
            body.u8(type);
            sized(body, bytes);
        }
        for (int m = 0; m < static_cast<int>(pixels_.memory.size()); ++m)
            for (int y = 0; y < pixels_.rows(m, format_.height); ++y)
                body.append({frame.memory.data[m] + y * frame.memory.strides[m], pixels_.row_bytes(m, format_.width)});
        const Bytes answer = bridge_.ask('f', body.bytes, 'p');
        Reader in(answer, "answer");
        EncodedFrame coded;
        coded.keyframe = in.u8("keyframe") != 0;
        coded.data = in.take(in.remaining(), "packet").copy();
        return coded;
    }

  private:
    PictureFormat format_;
    const PixelFormat& pixels_;
    Bridge bridge_;
    Bytes extradata_;
};

class BridgeDecoder final : public FrameDecoder {
  public:
    BridgeDecoder(ByteView extradata, const DecoderOptions& options) : bridge_(options.bridge) {
        Writer body;
        body.u8(kVersion);
        sized(body, extradata);
        write_options(body, options.given);
        bridge_.ask('d', body.bytes, 'k');
    }

    FrameHead decode(ByteView packet) override;

    void write(const MemoryPlanes& memory) const override {
        Reader in(planes_, "answer");
        for (int m = 0; m < static_cast<int>(pixels_->memory.size()); ++m)
            for (int y = 0; y < pixels_->rows(m, height_); ++y) {
                const ByteView row = in.take(pixels_->row_bytes(m, width_), "row");
                std::memcpy(memory.data[m] + y * memory.strides[m], row.data, row.size);
            }
    }
    void reset() override { bridge_.ask('r', {}, 'k'); }

  private:
    Bridge bridge_;
    const PixelFormat* pixels_ = nullptr;
    int width_ = 0, height_ = 0;
    Bytes planes_;  ///< in memory's order, rows without gaps
};

FrameHead BridgeDecoder::decode(ByteView packet) {
    const Bytes answer = bridge_.ask('p', packet, 'f');
    Reader in(answer, "answer");
    const ByteView name = in.take(in.u32("name"), "name");
    pixels_ = &pixel_format(std::string(name.data, name.data + name.size));
    width_ = static_cast<int>(in.u32("width"));
    height_ = static_cast<int>(in.u32("height"));
    const int64_t numerator = i64(in, "time base"), denominator = i64(in, "time base");
    FrameHead head;
    head.format = pixels_->picture(width_, height_, numerator, denominator);
    const std::string problem = head.format.problem();
    if (!problem.empty()) throw std::runtime_error("the Python process gives a frame whose " + problem);
    head.pts = i64(in, "pts");
    head.duration = i64(in, "duration");
    head.keyframe = in.u8("keyframe") != 0;
    for (int count = in.u8("entries"); count > 0; --count) {
        const int type = in.u8("type");
        head.side[type] = in.take(in.u32("size"), "entry").copy();
    }
    size_t expected = 0;
    for (int m = 0; m < static_cast<int>(pixels_->memory.size()); ++m)
        expected += pixels_->row_bytes(m, width_) * static_cast<size_t>(pixels_->rows(m, height_));
    planes_ = in.take(expected, "planes").copy();
    in.expect_end();
    return head;
}

}  // namespace

bool has_interpreter(const BridgeOptions& options) { return !interpreter(options).empty(); }

std::unique_ptr<FrameEncoder> make_bridge_encoder(const PictureFormat& format, const EncoderOptions& options) {
    return std::make_unique<BridgeEncoder>(format, options);
}

std::unique_ptr<FrameDecoder> make_bridge_decoder(ByteView extradata, const DecoderOptions& options) {
    return std::make_unique<BridgeDecoder>(extradata, options);
}

}  // namespace nlvc
