// Samples are evaluated sixteen at a time, as structures of arrays.
#pragma once
#include <cstdint>

// GCC would unroll a loop over the lanes and then vectorise around it, with transpositions; kept as a loop it becomes
// four to five times faster.
#if defined(__GNUC__) && !defined(__clang__)
#define NLVC_LANE_LOOP _Pragma("GCC unroll 1")
#else
#define NLVC_LANE_LOOP
#endif

namespace nlvc {

constexpr int kLanes = 16;      ///< samples of one batch
constexpr int kOutputs = 9;     ///< outputs of a network: three logits, three offsets, three scales
constexpr int kLogistics = 3;   ///< components of the mixture
constexpr int kMaxWidth = 255;  ///< largest tap list or layer

}  // namespace nlvc
