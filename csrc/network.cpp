#include "network.h"

namespace nlvc {
namespace {

int32_t row_sum(const Layer& layer, int j, int delta, const int32_t* in) {
    const bool by_delta = layer.biases.size() > static_cast<size_t>(layer.outputs);
    int32_t sum = layer.biases[(by_delta ? delta * layer.outputs : 0) + j];
    for (int i = 0; i < layer.inputs; ++i) sum += layer.weights[static_cast<size_t>(j) * layer.inputs + i] * in[i];
    return sum;
}

int32_t requantised(int32_t a, int32_t m, int s) { return (a * m + (1 << s >> 1)) >> s; }

using Values = std::array<int32_t, 2 * kMaxWidth>;

Values activate(const Layer& layer, int delta, const Values& in) {
    Values out{};
    for (int j = 0; j < layer.outputs; ++j)
        out[j] =
            std::clamp(requantised(row_sum(layer, j, delta, in.data()), layer.multipliers[j], layer.shifts[j]), 0, 255);
    return out;
}

}  // namespace

bool SliceDefinition::inside(int x, int y) const {
    return x >= 0 && x < samples[kCur]->width && y >= slice.top && y < slice.bottom;
}

int32_t SliceDefinition::anchor(int index, int x, int y) const {
    constexpr PlaneId kReferences[kAnchors] = {kRef1Sub, kGuide1Ref, kGuide2Ref};
    constexpr PlaneId kCurrent[kAnchors] = {kCur, kGuide1Cur, kGuide2Cur};
    if (!settings.intra) return samples[kReferences[index]]->at(x, y);
    const Plane& cur = *samples[kCur];
    const Plane& plane = *samples[kCurrent[index]];
    const bool west = inside(x - 1, y), north = settings.delta > 0 && inside(x, y - 1);
    if (!west && !north) return 1 << (settings.depth - 1);
    if (!north) return plane.at(x - 1, y);
    if (!west) return plane.at(x, y - 1);
    const int w = cur.at(x - 1, y), n = cur.at(x, y - 1), c = cur.at(x - 1, y - 1);
    if (c <= std::min(w, n)) return w >= n ? plane.at(x - 1, y) : plane.at(x, y - 1);
    if (c >= std::max(w, n)) return w <= n ? plane.at(x - 1, y) : plane.at(x, y - 1);
    return plane.at(x - 1, y) + plane.at(x, y - 1) - plane.at(x - 1, y - 1);
}

int8_t SliceDefinition::tap(const Tap& tap, int x, int y) const {
    int32_t value = 0;
    const bool in_slice = tap.causal() || (tap.plane >= kGuide1Cur && tap.plane != kLevel);
    const int tx = x + tap.dx, ty = y + tap.dy;
    const bool hidden = tap.causal() && !(inside(tx, ty) && tap.dx + settings.delta * tap.dy < 0);
    const int top = in_slice ? slice.top : 0, bottom = in_slice ? slice.bottom : samples[kCur]->height;
    const int cx = std::clamp(tx, 0, samples[kCur]->width - 1), cy = std::clamp(ty, top, bottom - 1);
    if (tap.plane == kLevel) {
        value = std::max(-127, (anchor(0, x, y) >> (settings.depth - 8)) - 128);
    } else if (hidden) {
        value = 0;
    } else if (anchor_of(tap.plane) < 0) {
        value = errors[tap.plane]->at(cx, cy);
    } else {
        const int32_t difference = samples[tap.plane]->at(cx, cy) - anchor(anchor_of(tap.plane), x, y);
        value = std::clamp(difference >> settings.q, -127, 127);
    }
    return static_cast<int8_t>(tap.absolute && value < 0 ? -value : value);
}

SampleValues define_mean(const Network& n, const CodingSettings& settings, const int8_t* in, int32_t anchor) {
    Values taps{};
    for (size_t i = 0; i < n.inputs.size(); ++i) taps[i] = in[i];
    const Values h1 = activate(n.layer1, settings.delta, taps);
    const Values h2 = activate(n.layer2, settings.delta, h1);
    int32_t linear = n.linear_bias[settings.delta];
    for (size_t i = 0; i < n.inputs.size(); ++i) linear += n.linear[settings.delta * n.inputs.size() + i] * taps[i];
    for (int j = 0; j < n.layer2.outputs; ++j) linear += n.linear_hidden[j] * h2[j];
    SampleValues out{};
    const int32_t maximum = (1 << settings.depth) - 1;
    out.mean = std::clamp(anchor * 32 + ((linear + 256) >> 9) * (1 << settings.q), 0, maximum << 5);
    for (int j = 0; j < n.layer2.outputs; ++j) out.h2[j] = static_cast<uint8_t>(h2[j]);
    return out;
}

std::array<int32_t, kOutputs> define_outputs(const Network& n, int delta, const SampleValues& values,
                                             const int8_t* errors) {
    Values x2{};
    for (int j = 0; j < n.layer2.outputs; ++j) x2[j] = values.h2[j];
    for (size_t i = 0; i < n.errors.size(); ++i) x2[n.layer2.outputs + i] = errors[i];
    const Values g1 = activate(n.layer3, delta, x2);
    Values g2 = activate(n.layer4, delta, g1);
    for (int j = 0; j < n.layer4.outputs; ++j) g2[j] = std::min(255, g1[j] + g2[j]);
    std::array<int32_t, kOutputs> o;
    for (int j = 0; j < kOutputs; ++j)
        o[j] = requantised(row_sum(n.output, j, delta, g2.data()), n.output.multipliers[j], n.output.shifts[j]);
    return o;
}

int8_t define_error(int v, int32_t mean, int q) {
    return static_cast<int8_t>(std::clamp(((v << 5) - mean + (4 << q)) >> (3 + q), -127, 127));
}

}  // namespace nlvc
