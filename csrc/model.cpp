#include "model.h"

#include <algorithm>
#include <cstdlib>

#include "model_kind.h"

namespace nlvc {
namespace {

const std::string kSignature = "NLVM";
constexpr int kVersion = 0;
constexpr int kMaxWeight = 64;
constexpr int kMaxMultiplier = 1023;
constexpr int kMaxShift = 22;
constexpr int64_t kMaxSum = int64_t{1} << 21;        ///< of a dense layer's row
constexpr int kMaxLinearWeight = 127 * 256;          ///< kernels split it into two signed bytes
constexpr int64_t kMaxLinearSum = int64_t{1} << 30;  ///< of the linear path
constexpr int kMaxTap = 127;
constexpr int kMaxActivation = 255;

[[noreturn]] void refuse(const Network& n, const std::string& problem) {
    throw BitstreamError("model file, network of frame type " + std::to_string(n.frame_type) + " and plane class " +
                         std::to_string(n.plane_class) + ": " + problem);
}

void check_tap(const Network& n, const Tap& tap) {
    if (std::abs(tap.dx) > kReach || std::abs(tap.dy) > kReach) refuse(n, "a tap is farther than 3 samples away");
    if (tap.causal() && tap.dx == 0 && tap.dy == 0) refuse(n, "a tap reads the sample that is coded");
    const bool previous_frame =
        (tap.plane >= kRef1Sub && tap.plane <= kErrPrev) || tap.plane == kGuide1Ref || tap.plane == kGuide2Ref;
    if (n.frame_type == 0 && previous_frame) refuse(n, "an I-frame's tap reads an earlier frame");
    const int guide = tap.plane == kLevel || tap.plane < kGuide1Cur ? 0 : tap.plane < kGuide2Cur ? 1 : 2;
    if (guide > guides_of(n.plane_class)) refuse(n, "a tap reads a guide that the plane class does not have");
}

std::vector<Tap> read_taps(Reader& in, const Network& n, int least, bool modes) {
    std::vector<Tap> taps(in.u8_in(least, kMaxWidth, "tap count"));
    for (Tap& tap : taps) {
        tap.plane = static_cast<uint8_t>(in.u8_in(0, kPlaneIds - 1, "context plane"));
        tap.dx = in.i8("tap dx");
        tap.dy = in.i8("tap dy");
        tap.absolute = modes && in.u8_in(0, 1, "tap mode") == 1;
        check_tap(n, tap);
        if (!modes && tap.plane == kErr) refuse(n, "the first tap list reads the current plane's prediction errors");
    }
    return taps;
}

/// Reads a layer whose first `unsigned_inputs` inputs are activations and whose others are taps.
Layer read_layer(Reader& in, const Network& n, int inputs, int unsigned_inputs, int outputs, int bias_sets) {
    Layer layer;
    layer.inputs = inputs;
    layer.outputs = outputs;
    layer.weights.resize(static_cast<size_t>(inputs) * outputs);
    layer.biases.resize(static_cast<size_t>(bias_sets) * outputs);
    layer.multipliers.resize(outputs);
    layer.shifts.resize(outputs);
    for (int8_t& w : layer.weights) w = in.i8("weight");
    for (int32_t& b : layer.biases) b = in.i32("bias");
    for (int32_t& m : layer.multipliers) m = in.u16("multiplier");
    for (uint8_t& s : layer.shifts) s = static_cast<uint8_t>(in.u8_in(1, kMaxShift, "shift"));
    for (int j = 0; j < outputs; ++j) {
        if (layer.multipliers[j] > kMaxMultiplier) refuse(n, "a multiplier is above 1023");
        int64_t sum = 0;
        for (int i = 0; i < inputs; ++i) {
            const int weight = std::abs(int{layer.weights[static_cast<size_t>(j) * inputs + i]});
            if (weight > kMaxWeight) refuse(n, "a weight is beyond 64");
            sum += weight * (i < unsigned_inputs ? kMaxActivation : kMaxTap);
        }
        for (int set = 0; set < bias_sets; ++set)
            if (sum + std::abs(int64_t{layer.biases[static_cast<size_t>(set) * outputs + j]}) >= kMaxSum)
                refuse(n, "a row of weights can overflow (section 5)");
    }
    return layer;
}

void read_linear(Reader& in, Network& n) {
    const size_t taps = n.inputs.size();
    n.linear.resize(kDeltas * taps);
    n.linear_hidden.resize(n.layer2.outputs);
    for (auto* weights : {&n.linear, &n.linear_hidden})
        for (int16_t& w : *weights) {
            w = in.i16("linear weight");
            if (std::abs(int{w}) > kMaxLinearWeight) refuse(n, "a linear weight is beyond 32512 (section 5)");
        }
    for (int32_t& b : n.linear_bias) b = in.i32("linear bias");
    for (int delta = 0; delta < kDeltas; ++delta) {
        int64_t sum = std::abs(int64_t{n.linear_bias[delta]});
        for (size_t i = 0; i < taps; ++i) sum += std::abs(int{n.linear[delta * taps + i]}) * kMaxTap;
        for (const int16_t w : n.linear_hidden) sum += std::abs(int{w}) * kMaxActivation;
        if (sum >= kMaxLinearSum) refuse(n, "the linear path can overflow (section 5)");
    }
}

Network read_network(Reader& in) {
    Network n;
    n.frame_type = in.u8_in(0, 1, "frame type");
    n.plane_class = in.u8_in(0, kPlaneClasses - 1, "plane class");
    n.inputs = read_taps(in, n, 1, false);
    const int h1 = in.u8_in(1, kMaxWidth, "width h1"), h2 = in.u8_in(1, kMaxWidth, "width h2");
    n.errors = read_taps(in, n, 0, true);
    const int g = in.u8_in(1, kMaxWidth, "width g");
    const int taps = static_cast<int>(n.inputs.size()), errors = static_cast<int>(n.errors.size());
    n.layer1 = read_layer(in, n, taps, 0, h1, kDeltas);
    n.layer2 = read_layer(in, n, h1, h1, h2, 1);
    read_linear(in, n);
    n.layer3 = read_layer(in, n, h2 + errors, h2, g, kDeltas);
    n.layer4 = read_layer(in, n, g, g, g, 1);
    n.output = read_layer(in, n, g, g, kOutputs, 1);
    return n;
}

void write_taps(Writer& out, const std::vector<Tap>& taps, bool modes) {
    out.u8(static_cast<int>(taps.size()));
    for (const Tap& tap : taps) {
        out.u8(tap.plane);
        out.u8(static_cast<uint8_t>(tap.dx));
        out.u8(static_cast<uint8_t>(tap.dy));
        if (modes) out.u8(tap.absolute ? 1 : 0);
    }
}

void write_layer(Writer& out, const Layer& layer) {
    for (const int8_t w : layer.weights) out.u8(static_cast<uint8_t>(w));
    for (const int32_t b : layer.biases) out.u32(static_cast<uint32_t>(b));
    for (const int32_t m : layer.multipliers) out.u16(static_cast<uint16_t>(m));
    for (const uint8_t s : layer.shifts) out.u8(s);
}

void write_network(Writer& out, const Network& n) {
    out.u8(n.frame_type);
    out.u8(n.plane_class);
    write_taps(out, n.inputs, false);
    out.u8(n.layer1.outputs);
    out.u8(n.layer2.outputs);
    write_taps(out, n.errors, true);
    out.u8(n.layer3.outputs);
    write_layer(out, n.layer1);
    write_layer(out, n.layer2);
    for (const auto* weights : {&n.linear, &n.linear_hidden})
        for (const int16_t w : *weights) out.u16(static_cast<uint16_t>(w));
    for (const int32_t b : n.linear_bias) out.u32(static_cast<uint32_t>(b));
    write_layer(out, n.layer3);
    write_layer(out, n.layer4);
    write_layer(out, n.output);
}

/// The layer with the given inputs alone and the biases of one δ.
Layer select(const Layer& layer, const std::vector<int>& kept, int delta) {
    Layer out = layer;
    out.inputs = static_cast<int>(kept.size());
    out.weights.clear();
    for (int j = 0; j < layer.outputs; ++j)
        for (const int i : kept) out.weights.push_back(layer.weights[static_cast<size_t>(j) * layer.inputs + i]);
    const auto first = layer.biases.begin() + static_cast<ptrdiff_t>(delta) * layer.outputs;
    out.biases.assign(first, first + layer.outputs);
    return out;
}

}  // namespace

Model parse_model(ByteView file) {
    Reader in(file, "model file");
    const ByteView magic = in.take(4, "signature");
    if (is_transformer(magic))
        in.fail("signature", "is that of the transformer of docs/diffusion.md, which runs in pynlvc with PyTorch");
    if (std::string(magic.data, magic.data + 4) != kSignature) in.fail("signature", "is not NLVM");
    if (in.u8("version") != kVersion) in.fail("version", "is not 0, the only one that this library knows");
    Model model;
    model.name = in.name("name");
    const int count = in.u8_in(1, 2 * kPlaneClasses, "network count");
    for (int i = 0; i < count; ++i) {
        Network n = read_network(in);
        auto& place = model.networks[n.frame_type][n.plane_class];
        if (place.has_value()) refuse(n, "stands twice");
        place = std::move(n);
    }
    in.expect_end();
    model.hash = sha256(file);
    return model;
}

bool Layer::operator==(const Layer& o) const {
    return inputs == o.inputs && outputs == o.outputs && weights == o.weights && biases == o.biases &&
           multipliers == o.multipliers && shifts == o.shifts;
}

bool Network::operator==(const Network& o) const {
    return frame_type == o.frame_type && plane_class == o.plane_class && inputs == o.inputs && errors == o.errors &&
           layer1 == o.layer1 && layer2 == o.layer2 && layer3 == o.layer3 && layer4 == o.layer4 && output == o.output &&
           linear == o.linear && linear_hidden == o.linear_hidden && linear_bias == o.linear_bias;
}

Bytes write_model(const Model& model) {
    Writer out;
    for (const char letter : kSignature) out.u8(letter);
    out.u8(kVersion);
    out.name(model.name);
    int count = 0;
    for (const auto& type : model.networks)
        count += static_cast<int>(std::count_if(type.begin(), type.end(), [](const auto& n) { return n.has_value(); }));
    out.u8(count);
    for (const auto& type : model.networks)
        for (const std::optional<Network>& n : type)
            if (n.has_value()) write_network(out, *n);
    return out.bytes;
}

CompiledNetwork compile(const Network& n, int delta) {
    CompiledNetwork out;
    std::vector<int> inputs, errors;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
        if (!n.inputs[i].revealed(delta)) continue;
        inputs.push_back(static_cast<int>(i));
        out.inputs.push_back(n.inputs[i]);
        out.linear.push_back(n.linear[delta * n.inputs.size() + i]);
    }
    for (int i = 0; i < n.layer2.outputs; ++i) errors.push_back(i);
    for (size_t i = 0; i < n.errors.size(); ++i) {
        if (!n.errors[i].revealed(delta)) continue;
        errors.push_back(n.layer2.outputs + static_cast<int>(i));
        out.errors.push_back(n.errors[i]);
    }
    out.layer1 = select(n.layer1, inputs, delta);
    out.layer2 = n.layer2;
    out.layer3 = select(n.layer3, errors, delta);
    out.layer4 = n.layer4;
    out.output = n.output;
    out.linear_hidden = n.linear_hidden;
    out.linear_bias = n.linear_bias[delta];
    return out;
}

}  // namespace nlvc
