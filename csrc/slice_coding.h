// Slices: the motion and the planes of one slice as a payload (docs/bitstream.md sections 2, 8 and 9).
#pragma once
#include "accelerator.h"
#include "block_bits.h"
#include "context_pool.h"
#include "frame_state.h"
#include "kernels/kernels.h"
#include "packet.h"

namespace nlvc {

/// The networks of a model for one δ and one set of kernels.
class CompiledModel {
  public:
    CompiledModel(const Model& model, int delta, const Kernels& kernels);
    const Kernels& kernels() const { return kernels_; }
    /// nullptr when the model has none.
    const CompiledNetwork* network(bool intra, int plane_class) const;
    /// What planes of `format` lack in frames of the type, or an empty string.
    std::string missing(const PictureFormat& format, bool intra) const;
    /// What evaluates the networks; nullptr: the kernels.
    Accelerator* accelerator() const { return accelerator_.get(); }
    void accelerate(std::unique_ptr<Accelerator> accelerator) { accelerator_ = std::move(accelerator); }

  private:
    std::unique_ptr<Accelerator> accelerator_;
    const Kernels& kernels_;
    std::array<std::array<std::optional<CompiledNetwork>, kPlaneClasses>, 2> networks_;
};

/// What the frame's stream adds to the model.
struct FrameCorrections {
    std::vector<PlaneCorrection> planes;
    std::vector<PackedCorrection> packed;               ///< the same for the kernels
    const std::vector<ClassPlane>* previous = nullptr;  ///< classes of frame t-1; nullptr in an I-frame

    FrameCorrections(std::vector<PlaneCorrection> corrections, const History& history, bool keyframe);
};

/// Numbers of revealed taps of the planes' networks: what code_corrections wants to know.
std::vector<int> input_counts(const CompiledModel& model, const PictureFormat& format, bool intra);

/// A frame that is being coded. Jobs on different slices touch different rows of `frame`.
struct FrameCoding {
    const PictureFormat& format;
    const CompiledModel& model;
    CodingSettings settings;
    int slices;
    CodedFrame& frame;
    const std::vector<PlaneReferences>* references;  ///< by plane; nullptr in an I-frame
    ContextPool& contexts;                           ///< to work in
    const FrameCorrections& corrections;
    BlockBits* block_bits = nullptr;  ///< for those who want them: receives what samples cost
};

/// What the parts of a slice cost, bits.
struct SliceBits {
    std::vector<double> planes;
    double motion = 0;  ///< vectors and copied blocks
};

struct EncodedSlice {
    SliceMode mode = SliceMode::kModel;
    Bytes payload;
    SliceBits bits;
};

/// Sets the context planes of plane p that its network reads, without `cur`.
void prepare_context(const FrameCoding& coding, int slice, int p, const CompiledNetwork& network,
                     PlaneContext& context);

/// Codes the samples and vectors of `coding.frame` with the model and sets the frame's errors.
/// @param mode     any but raw
/// @param flagged  which planes have flags in the mode kRepeats
EncodedSlice encode_slice(const FrameCoding& coding, int slice, SliceMode mode, std::vector<bool> flagged);
/// The samples as they are; the frame's vectors and errors in the slice become zero.
EncodedSlice store_slice(const FrameCoding& coding, int slice);

/// CRC-32C over the numbers of a slice as a raw slice holds them, its low 16 bits.
uint16_t sample_check(const PictureFormat& format, const std::vector<Plane>& planes, int slice, int slices);

/// Sets the vectors of a slice; `coder` then stands at its samples.
void decode_slice_motion(const PictureFormat& format, int slices, int slice, RangeDecoder& coder, MotionField& motion);
/// Sets the samples and errors of a slice. The coder is a copy: those of several slices in one cache line would make
/// their threads wait for each other at every batch.
SliceBits decode_slice(const FrameCoding& coding, int slice, SliceMode mode, RangeDecoder coder);
/// What a raw slice leaves behind beside its samples: no vectors, no errors, no classes.
void clear_slice(const FrameCoding& coding, int slice);
/// The reverse of store_slice.
SliceBits load_slice(const FrameCoding& coding, int slice, ByteView payload);

}  // namespace nlvc
