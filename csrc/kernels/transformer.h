// Dense layers and attention of the masked-diffusion transformer (docs/diffusion.md section 3) as the kernels read
// them.
#pragma once
#include <cstdint>

#include "lanes.h"

namespace nlvc {

constexpr int kTokens = 1024;         ///< of a patch
constexpr int kLag = 32;              ///< attention sees tokens whose rank is at least this much lower
constexpr int kOctave = 32;           ///< steps of a score
constexpr int kSteps = 13 * kOctave;  ///< weights are 0 from the last step on
constexpr int kSumBits = 17;          ///< weights of a row are scaled to sum below 2^17
constexpr int32_t kHidden = -(1 << 24);
constexpr int kMaxDenseInputs = 128;
constexpr int kMaxDenseLanes = 1024;  ///< outputs of a layer, filled up to a multiple of kLanes
constexpr int kMaxKeyWords = 32;

/// Weights of a dense layer and its constants by output, both filled up to `lanes` outputs. Bytes of weights and keys
/// have 128 added: sums take 128 times the sum of the other factor away again.
struct TransformerDense {
    int words;  ///< of four inputs
    int lanes;
    const uint8_t* weights;  ///< [words][lanes][4]
    const int32_t *multiplier, *half, *shift;
};

/// One head's memory of a patch.
struct AttentionKeys {
    int key_words;           ///< of four elements
    int value_lanes;         ///< dimensions of a value, filled up to a multiple of kLanes
    const uint8_t* keys;     ///< [kTokens / kLanes][key_words][kLanes][4], 128 added
    const uint8_t* values;   ///< [kTokens / 4][value_lanes][4 keys], 128 added
    const int32_t* penalty;  ///< [kTokens] 0, or -kHidden for absent tokens; null: none is absent
    int32_t falloff;
};

/// 4096 * 2^(-below / 32), linear within an octave.
inline int32_t attention_weight(int32_t below) {
    const int32_t t = below < kSteps ? below : kSteps - 1;
    return ((2 * kOctave - (t & (kOctave - 1))) << 6) >> (t >> 5);
}

/// Tokens that the one of this rank sees, the first so many.
inline int tokens_seen(int rank) { return rank < kLag ? 0 : rank - kLag + 1; }
inline int sinks_seen(int rank) { return rank < kLag ? rank + 1 : kLag; }

/// By how much the weights of a row with this sum are shifted.
inline int sum_shift(int32_t sum) {
    int shift = 0;
    while (sum >> shift >> kSumBits != 0) ++shift;
    return shift;
}

}  // namespace nlvc
