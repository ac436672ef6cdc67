// Slices: the motion and the planes of one slice as a payload (docs/bitstream.md sections 2, 8 and 9).
#pragma once
#include "block_bits.h"
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

  private:
    const Kernels& kernels_;
    std::array<std::array<std::optional<CompiledNetwork>, kPlaneClasses>, 2> networks_;
};

/// A frame that is being coded. Jobs on different slices touch different rows of `frame`.
struct FrameCoding {
    const PictureFormat& format;
    const CompiledModel& model;
    CodingSettings settings;
    int slices;
    CodedFrame& frame;
    const std::vector<PlaneReferences>* references;  ///< by plane; nullptr in an I-frame
    std::vector<PlaneContext>& contexts;             ///< one for each slice, to work in
    BlockBits* block_bits = nullptr;                 ///< for an encoder that wants them: receives what samples cost
};

struct EncodedSlice {
    SliceMode mode = SliceMode::kModel;
    Bytes payload;
    std::vector<double> plane_bits;  ///< by plane
    double motion_bits = 0;
};

/// Codes the samples and vectors of `coding.frame` with the model and sets the frame's errors.
EncodedSlice encode_slice(const FrameCoding& coding, int slice);
/// The samples as they are; the frame's vectors and errors in the slice become zero.
EncodedSlice store_slice(const FrameCoding& coding, int slice);

/// Sets the vectors of a slice; `coder` then stands at its samples.
void decode_slice_motion(const PictureFormat& format, int slices, int slice, RangeDecoder& coder, MotionField& motion);
/// Sets the samples and errors of a slice.
void decode_slice(const FrameCoding& coding, int slice, RangeDecoder& coder);
/// The reverse of store_slice.
void load_slice(const FrameCoding& coding, int slice, ByteView payload);

}  // namespace nlvc
