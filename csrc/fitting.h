// The encoder's choice of corrections (docs/bitstream.md section 5.1): least squares on the frame that is to be coded.
// Nothing here is normative.
//
// The code length of a sample with residual r under a logistic of scale s grows at most like the parabola with weight
// 1 / (s max(|r|, 2s)) that touches it. So what a set w of weights saves in a block is at least b'w - w'Gw / 2 nats,
// with G and b summed over the block's samples, and sets and classes follow from G and b alone, in the manner of
// k-means.
#pragma once
#include "block_statistics.h"
#include "least_squares.h"

namespace nlvc {

/// A plane's sets and the set of each block.
struct FittedPlane {
    PlaneCorrection correction;
    std::vector<int> classes;  ///< by block
};

/// The sets of one plane from frame to frame. What was seen of earlier frames fades but counts.
class PlaneFitter {
  public:
    explicit PlaneFitter(bool intra = false) : intra_(intra) {}

    /// Chooses the sets and classes of a frame from its blocks. `old`: the sets in force.
    FittedPlane fit(const std::vector<BlockStatistics>& blocks, const PlaneCorrection& old);

  private:
    class Search;
    double horizon() const;

    bool intra_;                           ///< the sets serve this frame alone
    std::vector<SymmetricSystem> memory_;  ///< by set
    double frames_ = 0;                    ///< that the memory holds, fading
};

}  // namespace nlvc
