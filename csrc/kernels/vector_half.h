// The kernels for batches of at most eight samples, included in a namespace `half` after vector.h. The including file
// defines there the primitives that vector_network.h and vector_bytes.h use, on eight lanes of everything. What takes
// little time is done as for sixteen.

// clang-format off
#include "kernels/vector_network.h"
#include "kernels/vector_bytes.h"
// clang-format on

void gather_half(const PlaneContext& context, const std::vector<TapSource>& taps, const BatchPosition& at,
                 const int32_t (*anchors)[kLanes], Words4<int8_t>* values) {
    if (context.narrow)
        gather_bytes(context, taps, at, values);
    else
        gather(context, taps, at, anchors, values);
}

constexpr Kernels kTable = {kName,        pack,     gather_half,       stage1,    correct, means,
                            stage2,       mixture,  sample_bounds,     open_half, finish,  errors,
                            &kBlockTable, products, transformer_dense, attend,    nullptr};
