// The portable kernels. Products are taken in 16 bits where they fit: |weight| <= 64 and |input| <= 255 make the sum of
// two at most 32640 (section 5), so inputs and weights go in pairs and one widening serves two products.
#include <algorithm>
#include <cstring>

#include "kernels/kernels.h"

namespace nlvc {
namespace {

using Lanes16 = int16_t[kLanes];
using Lanes32 = int32_t[kLanes];

int pairs(int inputs) { return (inputs + 1) / 2; }

void pack_layer(const Layer& layer, std::vector<int32_t>& packed) {
    for (int j = 0; j < layer.outputs; ++j) {
        const int8_t* row = layer.weights.data() + static_cast<size_t>(j) * layer.inputs;
        packed.insert(packed.end(), row, row + layer.inputs);
        if (layer.inputs % 2 != 0) packed.push_back(0);
    }
}

void pack(CompiledNetwork& n) {
    n.packed.clear();
    for (const Layer* layer : {&n.layer1, &n.layer2}) pack_layer(*layer, n.packed);
    n.stage2_at = n.packed.size();
    for (const Layer* layer : {&n.layer3, &n.layer4, &n.output}) pack_layer(*layer, n.packed);
}

/// acc[lane] = bias + the row's weights times the inputs
inline void accumulate(const int32_t* weights, int count, int32_t bias, const Lanes16* inputs, Lanes32& acc) {
    Lanes32 sum;
    for (int lane = 0; lane < kLanes; ++lane) sum[lane] = bias;
    for (int i = 0; i < count; ++i) {
        const auto w0 = static_cast<int16_t>(weights[2 * i]), w1 = static_cast<int16_t>(weights[2 * i + 1]);
        const int16_t* a = inputs[2 * i];
        const int16_t* b = inputs[2 * i + 1];
        NLVC_LANE_LOOP
        for (int lane = 0; lane < kLanes; ++lane)
            sum[lane] += static_cast<int16_t>(static_cast<int16_t>(w0 * a[lane]) + static_cast<int16_t>(w1 * b[lane]));
    }
    std::memcpy(acc, sum, sizeof(sum));
}

/// out[j] = act(layer's row j); returns the weights after the layer's.
const int32_t* dense(const Layer& layer, const int32_t* weights, const Lanes16* inputs, Lanes16* out) {
    const int count = pairs(layer.inputs);
    for (int j = 0; j < layer.outputs; ++j, weights += 2 * count) {
        Lanes32 acc;
        accumulate(weights, count, layer.biases[j], inputs, acc);
        const int32_t m = layer.multipliers[j], s = layer.shifts[j], half = 1 << s >> 1;
        for (int lane = 0; lane < kLanes; ++lane)
            out[j][lane] = static_cast<int16_t>(std::clamp((acc[lane] * m + half) >> s, 0, 255));
    }
    if (layer.outputs % 2 != 0) std::memset(out[layer.outputs], 0, sizeof(Lanes16));
    return weights;
}

template <class T>
void widen(const Words4<T>* from, int count, Lanes16* to) {
    for (int i = 0; i < count; ++i)
        for (int lane = 0; lane < kLanes; ++lane) to[i][lane] = from[i / 4][lane][i % 4];
    if (count % 2 != 0) std::memset(to[count], 0, sizeof(Lanes16));
}

void stage1(const CompiledNetwork& n, BatchValues& batch, PendingSamples*) {
    Lanes16 taps[kMaxWidth + 1], h1[kMaxWidth + 1], h2[kMaxWidth + 1];
    widen(batch.taps, n.layer1.inputs, taps);
    const int32_t* weights = dense(n.layer1, n.packed.data(), taps, h1);
    dense(n.layer2, weights, h1, h2);
    Lanes32 linear;
    for (int lane = 0; lane < kLanes; ++lane) linear[lane] = n.linear_bias;
    for (int i = 0; i < n.layer1.inputs; ++i)
        for (int lane = 0; lane < kLanes; ++lane) linear[lane] += int32_t{n.linear[i]} * taps[i][lane];
    for (int i = 0; i < n.layer2.outputs; ++i)
        for (int lane = 0; lane < kLanes; ++lane) {
            linear[lane] += int32_t{n.linear_hidden[i]} * h2[i][lane];
            batch.hidden[i / 4][lane][i % 4] = static_cast<uint8_t>(h2[i][lane]);
        }
    std::memcpy(batch.linear, linear, sizeof(linear));
}

void stage2(const CompiledNetwork& n, BatchValues& batch, PendingSamples*) {
    Lanes16 inputs[2 * kMaxWidth + 2], g1[kMaxWidth + 1], g2[kMaxWidth + 1];
    const int hidden = n.layer2.outputs;
    widen(batch.hidden, hidden, inputs);
    widen(batch.errors, n.layer3.inputs - hidden, inputs + hidden);
    const int32_t* weights = n.packed.data() + n.stage2_at;
    if (n.layer3.inputs % 2 != 0) std::memset(inputs[n.layer3.inputs], 0, sizeof(Lanes16));
    weights = dense(n.layer3, weights, inputs, g1);
    weights = dense(n.layer4, weights, g1, g2);
    for (int j = 0; j < n.layer4.outputs; ++j)
        for (int lane = 0; lane < kLanes; ++lane)
            g2[j][lane] = static_cast<int16_t>(std::min(255, g1[j][lane] + g2[j][lane]));
    const int count = pairs(n.output.inputs);
    for (int j = 0; j < kOutputs; ++j, weights += 2 * count) {
        Lanes32 acc;
        accumulate(weights, count, n.output.biases[j], g2, acc);
        const int32_t m = n.output.multipliers[j], s = n.output.shifts[j], half = 1 << s >> 1;
        for (int lane = 0; lane < kLanes; ++lane) batch.outputs[j][lane] = (acc[lane] * m + half) >> s;
    }
}

void correct(const PackedCorrection& c, const int8_t* classes, BatchValues& batch) {
    for (int lane = 0; lane < kLanes; ++lane) {
        const int set = classes == nullptr ? 0 : classes[lane];
        int32_t sum = c.start[set];
        for (size_t i = 0; i < c.words.size() / kMaxSets * 4; ++i) {
            const auto word = static_cast<uint32_t>(c.words[i / 4 * kMaxSets + set]);
            sum += static_cast<int8_t>(word >> i % 4 * 8 & 255) * batch.taps[i / 4][lane][i % 4];
        }
        batch.linear[lane] += sum * (1 << c.shift);
    }
}

/// Differences in type T, which must hold sample - anchor.
template <class T>
inline void differences(const uint16_t* samples, const T* anchor, int q, int8_t* out) {
    for (int lane = 0; lane < kLanes; ++lane) {
        const T d = static_cast<T>(static_cast<T>(static_cast<T>(samples[lane]) - anchor[lane]) >> q);
        out[lane] = static_cast<int8_t>(std::clamp<T>(d, -127, 127));
    }
}

inline void byte_differences(const int8_t* bytes, const int8_t* anchor, int8_t* out) {
    for (int lane = 0; lane < kLanes; ++lane) {
        const auto d = static_cast<int16_t>(bytes[lane] - anchor[lane]);
        out[lane] = static_cast<int8_t>(std::clamp<int16_t>(d, -127, 127));
    }
}

template <class T>
void gather_as(const PlaneContext& context, const std::vector<TapSource>& taps, const BatchPosition& at,
               const int32_t (*anchors)[kLanes], Words4<int8_t>* values) {
    const SkewLayout& layout = context.layout;
    const int q = context.settings.q;
    T anchor[kAnchors][kLanes];
    for (int a = 0; a < kAnchors; ++a)
        for (int lane = 0; lane < kLanes; ++lane) anchor[a][lane] = static_cast<T>(anchors[a][lane]);
    const int8_t* byte_anchors[kAnchors + 1] = {};
    if (context.narrow) find_byte_anchors(context, at, byte_anchors);
    auto read = [&](const TapSource& tap, int8_t(&out)[kLanes]) {
        if (tap.kind == TapKind::kDifference || tap.kind == TapKind::kByte) {
            if (tap.kind == TapKind::kByte)
                byte_differences(tap.bytes + at.y, byte_anchors[tap.anchor], out);
            else
                differences(tap.samples + at.y, anchor[tap.anchor], q, out);
            for (int lane = 0; tap.masked && !at.interior && lane < at.count; ++lane) {
                const int x = at.x(lane, layout.delta()) + tap.dx, y = at.y + lane + tap.dy;
                if (x < 0 || x >= layout.width() || y < 0 || y >= layout.height()) out[lane] = 0;
            }
        } else if (tap.kind == TapKind::kError) {
            std::memcpy(out, tap.bytes + at.y, kLanes);
        } else {
            for (int lane = 0; lane < kLanes; ++lane)
                out[lane] = static_cast<int8_t>(
                    std::clamp((anchors[0][lane] >> (context.settings.depth - 8)) - 128, -127, 127));
        }
        for (int lane = 0; tap.absolute && lane < kLanes; ++lane)
            out[lane] = static_cast<int8_t>(out[lane] < 0 ? -out[lane] : out[lane]);
    };
    for (size_t word = 0; 4 * word < taps.size(); ++word) {
        int8_t four[4][kLanes];
        for (int i = 0; i < 4; ++i) read(taps[4 * word + i], four[i]);
        NLVC_LANE_LOOP
        for (int lane = 0; lane < kLanes; ++lane)
            for (int i = 0; i < 4; ++i) values[word][lane][i] = four[i][lane];
    }
}

void gather(const PlaneContext& context, const std::vector<TapSource>& taps, const BatchPosition& at,
            const int32_t (*anchors)[kLanes], Words4<int8_t>* values) {
    // Anchors W + N - C of a guide reach from -maximum to 2 * maximum.
    if (context.settings.depth <= 13)
        gather_as<int16_t>(context, taps, at, anchors, values);
    else
        gather_as<int32_t>(context, taps, at, anchors, values);
}

void sample_bounds(const MixtureBatch& m, const uint16_t* samples, int depth, int q, uint32_t* low, uint32_t* high) {
    for (int lane = 0; lane < kLanes; ++lane) {
        const Distribution distribution(m, lane, depth, q);
        low[lane] = distribution.bound(samples[lane]);
        high[lane] = distribution.bound(samples[lane] + 1);
    }
}

void means(const int32_t* anchors, const int32_t* linear, int depth, int q, int32_t* mean) {
    const int32_t most = ((1 << depth) - 1) << 5;
    for (int lane = 0; lane < kLanes; ++lane)
        mean[lane] = std::clamp(anchors[lane] * 32 + ((linear[lane] + 256) >> 9) * (1 << q), 0, most);
}

void open(const int32_t (*outputs)[kLanes], const int32_t* mean, PendingSamples& pending, PendingSamples*) {
    make_mixture(outputs, mean, pending.q, pending.mixture);
    pending.next = 0;
}

void finish(PendingSamples& p) {
    RangeDecoder decoder(*p.coder);
    for (; p.next < p.count; ++p.next)
        p.samples[p.next] = static_cast<uint16_t>(Distribution(p.mixture, p.next, p.depth, p.q).decode(decoder));
    *p.coder = decoder.state();
}

void errors(const uint16_t* samples, const int32_t* mean, int q, int8_t* out) {
    for (int lane = 0; lane < kLanes; ++lane)
        out[lane] =
            static_cast<int8_t>(std::clamp(((samples[lane] << 5) - mean[lane] + (4 << q)) >> (3 + q), -127, 127));
}

#include "kernels/block_loops.h"
#include "kernels/product_loops.h"
#include "kernels/transformer_loops.h"

const BlockKernels kBlockTable = {interpolate_any, difference_any, displaced_difference_any, around_any, scan_any};

}  // namespace

const Kernels kScalarKernels = {"scalar",          pack,          gather, stage1, correct, means,        stage2,
                                make_mixture,      sample_bounds, open,   finish, errors,  &kBlockTable, products,
                                transformer_dense, attend,        nullptr};

}  // namespace nlvc
