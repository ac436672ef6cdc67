// The distribution of a sample: a mixture of three discretised logistics in integers (docs/bitstream.md section 6).
//
// C(v) increases by at least one with every v: F does not decrease with v (the tail's segments join without a step up,
// tests/test_mixture.py walks through all of them), P - (P >> (24 - depth)) does not decrease with P = F >> 7, and + v
// adds one. C(maximum) <= 2^24 - 2^depth + maximum < 2^24.
#pragma once
#include <algorithm>

#include "lanes.h"
#include "range_coder.h"
#include "tables.h"

namespace nlvc {

/// What the bounds of sixteen samples are computed from.
struct MixtureBatch {
    int32_t weight[kLogistics][kLanes];   ///< w_k, they sum to 1024
    int32_t centre[kLogistics][kLanes];   ///< mu_k, 1/32 sample
    int32_t inverse[kLogistics][kLanes];  ///< INV[i_k]
    int32_t start[kLanes];  ///< where a search begins: the centre of the heaviest component, samples (unclipped)
    int32_t step[kLanes];   ///< its scale, samples, >= 1
};

/// @param outputs  o[9] of section 5
/// @param mean     1/32 sample
void make_mixture(const int32_t (*outputs)[kLanes], const int32_t* mean, int q, MixtureBatch& mixture);

/// A sample and its interval [low, high) of 2^24.
struct Found {
    int sample;
    uint32_t low;
    uint32_t high;
};

/// The distribution of the sample in one lane.
class Distribution {
  public:
    Distribution(const MixtureBatch& mixture, int lane, int depth, int q)
        : m_(mixture), lane_(lane), depth_(depth), q_(q) {}

    int maximum() const { return (1 << depth_) - 1; }

    /// C(v), 0 <= v <= maximum + 1.
    uint32_t bound(int v) const {
        if (v <= 0) return 0;
        if (v > maximum()) return kProbabilityOne;
        uint32_t sum = 0;
        for (int k = 0; k < kLogistics; ++k) {
            const int32_t d = (v << 5) - 16 - m_.centre[k][lane_];
            const uint32_t distance = static_cast<uint32_t>(d < 0 ? -d : d) >> q_;
            const uint32_t inverse = static_cast<uint32_t>(m_.inverse[k][lane_]);
            const uint32_t u = std::min<uint32_t>(32767, std::min<uint32_t>(distance, 24574) * inverse >> 5);
            const TailSegment& s = kTail[u >> 8];
            const uint32_t t = ((static_cast<uint32_t>(s.tail) << 8) - s.delta * (u & 255)) >> (3 + s.shift);
            sum += static_cast<uint32_t>(m_.weight[k][lane_]) * (d < 0 ? t : (1u << 21) - t);
        }
        const uint32_t p = sum >> 7;
        return p - (p >> (kProbabilityBits - depth_)) + static_cast<uint32_t>(v);
    }

    void encode(RangeEncoder& coder, int v) const { coder.encode(bound(v), bound(v + 1)); }
    /// The sample whose interval, in units of `unit`, holds `code`: the last v with unit * C(v) <= code.
    Found find(uint64_t unit, uint64_t code) const;
    int decode(RangeDecoder& coder) const {
        const Found found = find(coder.unit(), coder.code());
        coder.consume(found.low, found.high);
        return found.sample;
    }

  private:
    const MixtureBatch& m_;
    int lane_;
    int depth_;
    int q_;
};

}  // namespace nlvc
