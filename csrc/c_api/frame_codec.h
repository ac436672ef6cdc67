// What encodes and decodes frames in memory: the codec of this library, or that of a Python process.
#pragma once
#include <memory>

#include "c_api/frame_memory.h"
#include "c_api/options.h"
#include "encoder.h"

namespace nlvc {

/// A frame that an application gives.
struct GivenFrame {
    MemoryPlanes memory;
    SideInformation side;
    int64_t pts = 0, duration = 0;  ///< ticks
    bool keyframe = false;          ///< is asked for
};

class FrameEncoder {
  public:
    virtual ~FrameEncoder() = default;
    virtual const Bytes& extradata() const = 0;
    /// Of the result, analysis may be empty.
    virtual EncodedFrame encode(const GivenFrame& frame) = 0;
};

/// What a decoder knows about the frame that it decoded last.
struct FrameHead {
    PictureFormat format;
    SideInformation side;           ///< without what belongs to the memory layout
    int64_t pts = 0, duration = 0;  ///< ticks
    bool keyframe = false;
};

class FrameDecoder {
  public:
    virtual ~FrameDecoder() = default;
    virtual FrameHead decode(ByteView packet) = 0;
    /// Writes the samples of the frame that was decoded last.
    virtual void write(const MemoryPlanes& memory) const = 0;
    virtual void reset() = 0;
};

std::unique_ptr<FrameEncoder> make_native_encoder(const PictureFormat& format, const EncoderOptions& options);
std::unique_ptr<FrameDecoder> make_native_decoder(ByteView extradata, const DecoderOptions& options);

/// Whether a Python interpreter is named, by an option or by NLVC_PYTHON.
bool has_interpreter(const BridgeOptions& options);
std::unique_ptr<FrameEncoder> make_bridge_encoder(const PictureFormat& format, const EncoderOptions& options);
std::unique_ptr<FrameDecoder> make_bridge_decoder(ByteView extradata, const DecoderOptions& options);

}  // namespace nlvc
