// Corrections of the linear part (docs/bitstream.md section 9a): small sets of weights that a stream sends beside the
// model, one of them chosen for each block of a plane.
#pragma once
#include "model.h"
#include "plane.h"
#include "range_coder.h"

namespace nlvc {

constexpr int kMaxSets = 8;              ///< of one plane
constexpr int kSetBlock = 32;            ///< edge of the blocks that choose a set, samples of the plane
constexpr int kConstantInput = 16;       ///< what the last weight of a set is multiplied with
constexpr int kLeastShift = 3;           ///< weights are in units of 2^shift / 16384, shift 3 .. 10
constexpr int kMaxCorrectionSum = 4095;  ///< of the absolute weights of a set

using ClassPlane = Grid<int8_t>;  ///< the set of each sample

/// One set: a weight for each revealed tap of the first list, then the constant's.
using CorrectionSet = std::vector<int8_t>;

/// The sets of one plane; none: the model alone.
struct PlaneCorrection {
    int shift = kLeastShift;
    std::vector<CorrectionSet> sets;

    bool operator==(const PlaneCorrection& o) const { return shift == o.shift && sets == o.sets; }
};

/// What is added to `lin` (section 5).
/// @param taps  values of the revealed taps
int32_t define_correction(const CorrectionSet& set, int shift, const int8_t* taps);

/// The sets of a plane as kernels read them.
struct PackedCorrection {
    int shift = 0;
    std::vector<int32_t> words;                    ///< [k][set]: the weights of taps 4k .. 4k + 3 as signed bytes
    std::array<int32_t, kMaxSets> start{};         ///< the constant's part of each set
    std::array<int32_t, kMaxSets> start_biased{};  ///< the same when 128 is added to every tap

    PackedCorrection() = default;
    explicit PackedCorrection(const PlaneCorrection& plane);
    bool empty() const { return words.empty(); }
};

/// The sets of all planes as side information. What `previous`, the sets of the frame before, has is kept or predicts.
/// @param inputs  revealed taps of each plane's network
Bytes write_corrections(const std::vector<int>& inputs, const std::vector<PlaneCorrection>& previous,
                        const std::vector<PlaneCorrection>& planes);
std::vector<PlaneCorrection> read_corrections(const std::vector<int>& inputs,
                                              const std::vector<PlaneCorrection>& previous, ByteView bytes);

/// Codes which set each block of rows [rows.top, rows.bottom) takes.
/// @param previous  of the frame before; empty: all 0
void code_classes(BitCoder& coder, int sets, int top, int bottom, const ClassPlane& previous, ClassPlane& classes);

}  // namespace nlvc
