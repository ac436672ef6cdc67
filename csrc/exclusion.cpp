#include "exclusion.h"

namespace nlvc {
namespace {

/// Intervals of the excluded values; what is left is counted in order, as if they were not there.
class Holes {
  public:
    Holes(const Distribution& distribution, const Excluded& excluded) : count_(excluded.count) {
        for (int i = 0; i < count_; ++i) {
            low_[i] = distribution.bound(excluded.values[i]);
            size_[i] = distribution.bound(excluded.values[i] + 1) - low_[i];
            total_ -= size_[i];
        }
    }
    uint32_t total() const { return total_; }
    /// A bound of the whole distribution, without the holes below it.
    uint32_t without(uint32_t bound) const {
        uint32_t out = bound;
        for (int i = 0; i < count_; ++i)
            if (low_[i] < bound) out -= size_[i];
        return out;
    }
    /// A position in what is left, in the whole distribution.
    uint32_t with(uint32_t position) const {
        for (int i = 0; i < count_; ++i)
            if (position >= low_[i]) position += size_[i];
        return position;
    }

  private:
    int count_;
    std::array<uint32_t, 2> low_{}, size_{};
    uint32_t total_ = kProbabilityOne;
};

}  // namespace

void encode_without(RangeEncoder& coder, const Distribution& distribution, const Excluded& excluded, int sample) {
    const Holes holes(distribution, excluded);
    coder.encode_of(holes.without(distribution.bound(sample)), holes.without(distribution.bound(sample + 1)),
                    holes.total());
}

int decode_without(RangeDecoder& coder, const Distribution& distribution, const Excluded& excluded) {
    const Holes holes(distribution, excluded);
    const Found found = distribution.find(1, holes.with(coder.position_of(holes.total())));
    coder.consume_of(holes.without(found.low), holes.without(found.high), holes.total());
    return found.sample;
}

}  // namespace nlvc
