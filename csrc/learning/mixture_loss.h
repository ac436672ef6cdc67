// Ideal code length of samples under the mixture of docs/bitstream.md section 6, and its derivatives, sixteen samples
// side by side.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "learning/lanes16.h"

namespace nlvc {
namespace {  // compiled for several instruction sets

constexpr float kOutputUnit = 32.0f;  ///< of logits and offsets
constexpr float kScaleUnit = 34.0f;   ///< of logarithms of scales
constexpr float kScaleZero = 128.0f;  ///< index of output 0
constexpr float kLeastScale = -3.0f;  ///< logarithms
constexpr float kMostScale = 4.5f;
constexpr float kMostOffset = 255.0f / 32;
constexpr float kFloor = 2e-5f;  ///< share of probability that all samples have alike, about
constexpr float kBitsPerNat = 1.44269504f;

/// What the samples of one call have in common, in units of 2^q samples.
struct SampleRange {
    float most;   ///< the largest sample
    float width;  ///< one sample
};

/// 1 / (1 + e^-x)
inline void sigmoid(const Lanes16& x, Lanes16& out) {
    Lanes16 e;
    exponential(-x, e);
    out = 1.0f / (1.0f + e);
}

/// One block of sixteen samples: outputs o [9][stride] and means (before the clip) -> probabilities and the derivatives
/// of the code length in bits by o [9][stride] and by the means. Where `valid` is 0 derivatives are 0.
inline void mixture_loss(const float* o, int stride, const Lanes16& mean, const Lanes16& sample, const Lanes16& valid,
                         const SampleRange& range, Lanes16& probability, float* d, Lanes16& d_mean) {
    Lanes16 centre;
    within(mean, 0.0f, range.most, centre);
    Lanes16 logit[3], w[3], mass[3], slope[3], stretch[3], inverse[3], offset_moves[3], scale_moves[3];
    for (int k = 0; k < 3; ++k) load(o + k * stride, logit[k]);
    Lanes16 top = logit[0] > logit[1] ? logit[0] : logit[1];
    top = top > logit[2] ? top : logit[2];
    Lanes16 sum = {}, p = {};
    for (int k = 0; k < 3; ++k) {
        exponential((logit[k] - top) / kOutputUnit, w[k]);
        sum += w[k];
    }
    const Lanes16 zero = {}, one = zero + 1.0f;
    for (int k = 0; k < 3; ++k) {
        Lanes16 raw, raw_offset, s, r;
        load(o + (3 + k) * stride, raw_offset);
        load(o + (6 + k) * stride, raw);
        raw_offset /= kOutputUnit;
        raw = (raw + kScaleZero) / kScaleUnit + kLeastScale;
        within(raw, kLeastScale, kMostScale, s);
        within(raw_offset, -kMostOffset, kMostOffset, r);
        exponential(-s, inverse[k]);
        scale_moves[k] = raw == s ? one : zero;
        offset_moves[k] = raw_offset == r ? 1.0f / inverse[k] : zero;
        const Lanes16 distance = sample - (centre + r / inverse[k]);
        const Lanes16 upper = (distance + range.width / 2) * inverse[k],
                      lower = (distance - range.width / 2) * inverse[k];
        // Differences of what is left towards the nearer end lose fewer digits.
        const Lanes16 side = distance > 0 ? -one : one;
        Lanes16 a, b;
        sigmoid(side * upper, a);
        sigmoid(side * lower, b);
        const Lanes16 infinite = side > 0 ? one : zero;  // what a sigmoid becomes at the end of the range
        const Lanes16 above = sample >= range.most ? infinite : a, below = sample <= 0 ? 1.0f - infinite : b;
        const Lanes16 by_upper = sample >= range.most ? zero : a * (1.0f - a);
        const Lanes16 by_lower = sample <= 0 ? zero : b * (1.0f - b);
        mass[k] = side * (above - below);
        slope[k] = by_upper - by_lower;
        stretch[k] = by_upper * upper - by_lower * lower;
        w[k] /= sum;
        p += w[k] * mass[k];
    }
    probability = p * (1 - kFloor) + kFloor / (range.most / range.width + 1);
    const Lanes16 by_p = valid * (-(1 - kFloor) * kBitsPerNat) / probability;
    Lanes16 by_mean = {};
    for (int k = 0; k < 3; ++k) {
        const Lanes16 by_location = -by_p * w[k] * slope[k] * inverse[k];
        store(by_p * w[k] * (mass[k] - p) / kOutputUnit, d + k * stride);
        store(by_location * offset_moves[k] / kOutputUnit, d + (3 + k) * stride);
        store(-by_p * w[k] * stretch[k] * scale_moves[k] / kScaleUnit, d + (6 + k) * stride);
        by_mean += by_location;
    }
    d_mean = mean == centre ? by_mean : zero;
}

}  // namespace
}  // namespace nlvc
