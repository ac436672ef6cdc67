// Packets to frames.
#pragma once
#include <functional>

#include "in_use.h"
#include "slice_coding.h"

namespace nlvc {

struct DecodedFrame {
    std::vector<Plane> planes;  ///< in coding order
    int64_t pts = 0;            ///< ticks of the time base
    int64_t duration = 0;       ///< ticks
    bool keyframe = false;
    PictureFormat format;
    uint32_t checksum = 0;  ///< of the samples, proven
    int slices = 0;
    Hash model_hash{};
    int delta = 0;
    SideInformation side;  ///< all that holds for this frame, without the sample map
    int coded_depth = 0;   ///< bits of the numbers that the samples were coded as, at most format.depth
};

/// Gives the model file of a hash, or nothing.
using FindModel = std::function<std::optional<Bytes>(const Hash&)>;

class Decoder {
  public:
    /// @param find_model  asked for models that are neither embedded nor in use
    /// @param threads     0: one for each processor
    /// @param kernels     a name of kernels/kernels.h, for tests; empty: the fastest
    Decoder(FindModel find_model, int threads, const std::string& kernels = "");

    /// Decodes the next packet. After an exception only a keyframe is accepted.
    DecodedFrame decode(ByteView packet);
    /// After a jump in the stream: only a keyframe is accepted.
    void reset();

  private:
    void start_sequence(const Packet& keyframe);
    void load_model(const Sequence& sequence);
    /// The sets that the packet's frame uses.
    std::vector<PlaneCorrection> take_corrections(const Packet& packet);
    CodedFrame decode_samples(const Packet& packet);

    FindModel find_model_;
    const Kernels& kernels_;
    ThreadPool pool_;
    bool waiting_ = true;  ///< for a keyframe
    PictureFormat format_;
    PictureFormat coded_;  ///< the same at the depth of the sample map's numbers
    SampleMap map_;
    SideInformation side_;  ///< of the previous frame
    Hash hash_{};
    int delta_ = 0;
    std::unique_ptr<CompiledModel> model_;
    std::optional<Model> parsed_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
    History history_;
    ContextPool contexts_;
    std::vector<PlaneCorrection> corrections_;  ///< of P-frames since the keyframe
    int64_t next_pts_ = 0;
};

}  // namespace nlvc
