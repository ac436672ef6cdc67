// Samples are evaluated sixteen at a time, as structures of arrays.
#pragma once
#include <cstdint>

namespace nlvc {

constexpr int kLanes = 16;      ///< samples of one batch
constexpr int kOutputs = 9;     ///< outputs of a network: three logits, three offsets, three scales
constexpr int kLogistics = 3;   ///< components of the mixture
constexpr int kMaxWidth = 255;  ///< largest tap list or layer

}  // namespace nlvc
