#include "mixture.h"

namespace nlvc {

void make_mixture(const int32_t (*outputs)[kLanes], const int32_t* mean, int q, MixtureBatch& mixture) {
    for (int lane = 0; lane < kLanes; ++lane) {
        const int32_t l0 = outputs[0][lane], l1 = outputs[1][lane], l2 = outputs[2][lane];
        const int32_t top = std::max({l0, l1, l2});
        // |o| < 2^30 (section 5), so differences fit 32 bits
        const uint32_t e0 = kExp[std::min(255, top - l0)];
        const uint32_t e1 = kExp[std::min(255, top - l1)];
        const uint32_t e2 = kExp[std::min(255, top - l2)];
        const uint32_t sum = e0 + e1 + e2;
        mixture.weight[1][lane] = static_cast<int32_t>(1024 * e1 / sum);
        mixture.weight[2][lane] = static_cast<int32_t>(1024 * e2 / sum);
        mixture.weight[0][lane] = 1024 - mixture.weight[1][lane] - mixture.weight[2][lane];
        int heaviest = 0;
        for (int k = 0; k < kLogistics; ++k) {
            const int32_t offset = std::clamp(outputs[3 + k][lane], -255, 255);
            // clamped before the addition, which could overflow
            const int32_t index = std::clamp(outputs[6 + k][lane], -128, 127) + 128;
            mixture.centre[k][lane] = mean[lane] + (offset * kScale[index] >> 6) * (1 << q);
            mixture.inverse[k][lane] = kInverseScale[index];
            if (mixture.weight[k][lane] > mixture.weight[heaviest][lane]) heaviest = k;
            if (heaviest == k) {
                mixture.start[lane] = (mixture.centre[k][lane] + 16) >> 5;
                mixture.step[lane] = ((kScale[index] >> 6) + 1) << q;
            }
        }
    }
}

Found Distribution::find(uint64_t unit, uint64_t code) const {
    // [lo, hi): the sample lies in it; the bounds of both ends are known.
    int lo = 0, hi = maximum() + 1;
    uint32_t lo_bound = 0, hi_bound = kProbabilityOne;
    auto narrow = [&](int v) {
        const uint32_t b = bound(v);
        if (unit * b <= code)
            lo = v, lo_bound = b;
        else
            hi = v, hi_bound = b;
        return lo == v;
    };
    int step = m_.step[lane_];
    int at = std::clamp(m_.start[lane_], 1, maximum());
    const bool upwards = narrow(at);
    while (hi - lo > 1) {
        at = upwards ? at + step : at - step;
        if (at >= hi || at <= lo || narrow(at) != upwards) break;
        step *= 2;
    }
    while (hi - lo > 1) narrow((lo + hi) / 2);
    return {lo, lo_bound, hi_bound};
}

}  // namespace nlvc
