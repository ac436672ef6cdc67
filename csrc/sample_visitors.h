// What happens to the samples of a plane once their distributions are known: they are coded (docs/bitstream.md sections
// 6 and 7).
#pragma once
#include "block_bits.h"
#include "repeats.h"
#include "wavefront.h"

namespace nlvc {

class EncodingVisitor final : public BatchVisitor {
  public:
    /// @param repeats  nullptr: every sample has a distribution
    EncodingVisitor(RangeEncoder& coder, const Kernels& kernels, const CodingSettings& settings, RepeatCoder* repeats,
                    const BlockBitsRecorder& recorder)
        : coder_(coder), kernels_(kernels), settings_(settings), repeats_(repeats), recorder_(recorder) {}

    const uint8_t* start_group(int g, int first, int last, uint16_t* samples) override;
    void visit(const BatchPosition& at, const BatchValues& values, uint16_t* samples) override;
    bool sees_all() const override { return repeats_ == nullptr; }
    void finish_group() override;

  private:
    RangeEncoder& coder_;
    const Kernels& kernels_;
    CodingSettings settings_;
    RepeatCoder* repeats_;
    BlockBitsRecorder recorder_;
    MixtureBatch mixture_;
};

class DecodingVisitor final : public BatchVisitor {
  public:
    /// @param repeats  nullptr: every sample has a distribution
    DecodingVisitor(RangeDecoder& coder, const Kernels& kernels, const CodingSettings& settings, RepeatCoder* repeats,
                    const BlockBitsRecorder& recorder);

    const uint8_t* start_group(int g, int first, int last, uint16_t* samples) override;
    void visit(const BatchPosition& at, const BatchValues& values, uint16_t* samples) override;
    PendingSamples* pending() override;
    void finish_group() override;

  private:
    RangeDecoder& coder_;
    const Kernels& kernels_;
    CodingSettings settings_;
    RepeatCoder* repeats_;
    BlockBitsRecorder recorder_;
    PendingSamples samples_[2];  ///< of this batch and of the one before, in turn
    int current_ = 0;
};

}  // namespace nlvc
