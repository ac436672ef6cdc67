// One plane of one slice, group by group (docs/bitstream.md sections 2, 4 and 5), the same for both directions.
#pragma once
#include "accelerator.h"
#include "kernels/kernels.h"

namespace nlvc {

/// A network for one frame type and plane class, ready for a set of kernels.
struct Evaluator {
    const Kernels& kernels;
    const CompiledNetwork& network;
    const PackedCorrection* correction = nullptr;  ///< none: the network alone
    Accelerator* accelerator = nullptr;            ///< none: the kernels do it all
};

/// Takes the samples of each batch as they come. A batch whose samples are all known beforehand is left out.
class BatchVisitor {
  public:
    virtual ~BatchVisitor() = default;
    /// Before the batches of a group.
    /// @param samples  by row: an encoder reads, a decoder may write those that it knows without a distribution
    /// @return by row 1 for samples that are known so; nullptr: none
    virtual const uint8_t* start_group(int /*g*/, int /*first*/, int /*last*/, uint16_t* /*samples*/) {
        return nullptr;
    }
    /// @param values   mean and outputs of the batch (and everything they came from)
    /// @param samples  the samples of the batch, at.count of them: an encoder reads, a decoder writes them
    virtual void visit(const BatchPosition& at, const BatchValues& values, uint16_t* samples) = 0;
    /// Samples that are not there yet when visit() returns: they are decoded before anything needs them, but not
    /// before finish_group(). They may still be pending in the next visit(), not after it.
    virtual PendingSamples* pending() { return nullptr; }
    /// Whether all samples are known from the beginning and every batch is visited.
    virtual bool sees_all() const { return false; }
    /// All samples of the group are known but pending ones.
    virtual void finish_group() {}
};

/// Runs all groups. context.samples[kCur] holds the samples (encoder) or receives them (decoder); context.errors[kErr]
/// receives the prediction errors.
void run_plane(PlaneContext& context, const Evaluator& evaluator, BatchVisitor& visitor);

}  // namespace nlvc
