// What an encoder has to know of a plane to fit corrections to it: weighted sums over the taps and residuals of each
// block (fitting.h says why). Nothing here is normative.
#pragma once
#include "slice_coding.h"

namespace nlvc {

constexpr double kRootWeight = 128.0;  ///< times sqrt(1/2): the root of the weight of a sample of scale 1, residual 0
constexpr int kRootBits = 4;           ///< taps times roots lose this many bits
constexpr double kSubsampling = 2.0;   ///< every other sample is looked at
/// What one unit of the integers below is worth, in nats.
constexpr double kUnitG = kSubsampling * (1 << kRootBits) * (1 << kRootBits) / (kRootWeight * kRootWeight);
constexpr double kUnitB = kUnitG / 32;

/// G and b of one block, in units of kUnitG and kUnitB.
struct BlockStatistics {
    int x = 0, y = 0;               ///< first sample, in the plane
    std::vector<int32_t> products;  ///< lower triangle of G
    std::vector<double> right;      ///< b
};

/// Statistics of the blocks of one plane in one slice, in raster order. Sets the plane's prediction errors as the
/// model alone leaves them.
std::vector<BlockStatistics> collect_statistics(const FrameCoding& coding, int slice, int p);

}  // namespace nlvc
