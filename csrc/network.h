// The definition of one sample's evaluation (docs/bitstream.md sections 4 and 5), sample by sample and without any
// speed. Nothing is coded with it: it is what every set of kernels is tested against.
#pragma once
#include <array>

#include "context.h"
#include "model.h"

namespace nlvc {

/// One plane of one slice with complete context planes on its grid. Rows are those of the whole plane.
struct SliceDefinition {
    CodingSettings settings;
    RowRange slice;                                     ///< rows of the slice
    std::array<const Plane*, kPlaneIds> samples{};      ///< by id, `cur` included
    std::array<const ErrorPlane*, kPlaneIds> errors{};  ///< by id, `err` included

    /// (x, y) lies in the slice.
    bool inside(int x, int y) const;
    /// A (index 0), G of guide 1 and 2 at (x, y), samples.
    int32_t anchor(int index, int x, int y) const;
    int8_t tap(const Tap& tap, int x, int y) const;
};

struct SampleValues {
    int32_t mean;                       ///< 1/32 sample
    std::array<uint8_t, kMaxWidth> h2;  ///< hidden state
};

/// @param in  values of the first tap list
SampleValues define_mean(const Network& network, const CodingSettings& settings, const int8_t* in, int32_t anchor);

/// @param errors  values of the second tap list
std::array<int32_t, kOutputs> define_outputs(const Network& network, int delta, const SampleValues& values,
                                             const int8_t* errors);

/// The prediction error that sample v leaves.
int8_t define_error(int v, int32_t mean, int q);

}  // namespace nlvc
