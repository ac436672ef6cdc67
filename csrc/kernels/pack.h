// Weights in the order that the vector kernels (kernels/vector.h) read them.
//
// The linear part: [bias of high][bias of low], then for each four inputs the word of high and the word of low, where a
// 16-bit weight is 256 * high + low. A dense layer: [bias][multiplier][shift][half] of its outputs, rounded up to a
// multiple of 4, then the weights in blocks of up to `rows` outputs: for each four inputs one word (four signed bytes)
// for each output. Signed inputs are read with 128 added, which the biases take back.
#pragma once
#include "model.h"

namespace nlvc {

/// Fills network.packed, network.stage2_at and network.steps.
/// @param rows  outputs that the kernels accumulate side by side, a multiple of 4
void pack_words(CompiledNetwork& network, int rows);

}  // namespace nlvc
