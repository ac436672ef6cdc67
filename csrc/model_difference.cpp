#include "model_difference.h"

#include <limits>
#include <stdexcept>

#include "model.h"
#include "range_coder.h"
#include "signed_coding.h"

namespace nlvc {
namespace {

constexpr uint8_t kMagic[] = {'N', 'L', 'V', 'P'};
constexpr int kVersion = 0;
constexpr int kMaxLength = 15;  // bits after the prefix of the largest difference
constexpr int kLinearUnit = 32, kHiddenUnit = 4, kMultiplierUnit = 4;

/// A bias moves its activation by about one half to one whole step for each of these.
int bias_unit(int shift) { return 1 << std::max(0, shift - 10); }

/// Contexts of one kind of weight.
struct KindContexts {
    CountingBit zero[2];  // by whether the difference before was zero
    AdaptiveBit sign;
    AdaptiveBit prefix[kMaxLength + 1];
    AdaptiveBit suffix[kMaxLength];  // by the weight of the bit
};

/// Codes what a network has more than its base, in one of both directions: an encoder's is read, a decoder's is filled.
class DifferenceCoder {
  public:
    DifferenceCoder(BitCoder& coder, int delta) : coder_(coder), delta_(delta) {}

    void code(const Network& base, Network& fitted) {
        const Layer* from[] = {&base.layer1, &base.layer2, &base.layer3, &base.layer4, &base.output};
        Layer* to[] = {&fitted.layer1, &fitted.layer2, &fitted.layer3, &fitted.layer4, &fitted.output};
        for (int i = 0; i < 5; ++i) {
            code_layer(kinds_[i], *from[i], *to[i]);
            if (i == 1) code_linear(base, fitted);
        }
    }

  private:
    enum Kind { kBiases = 5, kMultipliers, kLinear, kHidden, kKinds };

    template <class T>
    void code_values(KindContexts& c, const T* from, T* to, size_t count, int unit) {
        for (size_t i = 0; i < count; ++i) code_value(c, from[i], to[i], unit);
    }

    template <class T>
    void code_value(KindContexts& c, T from, T& to, int unit) {
        const int64_t change = (int64_t{to} - from) / unit;
        const auto suffix = [&](int, int weight) -> AdaptiveBit& { return c.suffix[weight]; };
        const int d = code_signed(coder_, c.zero[last_zero_ ? 0 : 1], {c.sign, c.prefix}, kMaxLength,
                                  "model difference: a change is out of range", suffix, static_cast<int>(change));
        last_zero_ = d == 0;
        to = checked<T>(from + int64_t{d} * unit);
    }

    template <class T>
    static T checked(int64_t value) {
        if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
            throw BitstreamError("model difference: a weight is out of range");
        return static_cast<T>(value);
    }

    void code_layer(KindContexts& weights, const Layer& from, Layer& to) {
        code_values(weights, from.weights.data(), to.weights.data(), from.weights.size(), 1);
        const auto outputs = static_cast<size_t>(from.outputs);
        const size_t first = from.biases.size() > outputs ? static_cast<size_t>(delta_) * outputs : 0;
        for (size_t j = 0; j < outputs; ++j)
            code_value(kinds_[kBiases], from.biases[first + j], to.biases[first + j], bias_unit(from.shifts[j]));
        code_values(kinds_[kMultipliers], from.multipliers.data(), to.multipliers.data(), outputs, kMultiplierUnit);
    }

    void code_linear(const Network& from, Network& to) {
        const size_t taps = from.inputs.size(), first = static_cast<size_t>(delta_) * taps;
        code_values(kinds_[kLinear], from.linear.data() + first, to.linear.data() + first, taps, kLinearUnit);
        code_values(kinds_[kHidden], from.linear_hidden.data(), to.linear_hidden.data(), from.linear_hidden.size(),
                    kHiddenUnit);
        code_value(kinds_[kLinear], from.linear_bias[delta_], to.linear_bias[delta_], kLinearUnit);
    }

    BitCoder& coder_;
    int delta_;
    bool last_zero_ = true;
    KindContexts kinds_[kKinds];
};

/// All networks of a model; those of `fitted` start equal to the base's in a decoder.
void code_networks(BitCoder& coder, int delta, const Model& base, Model& fitted) {
    DifferenceCoder differences(coder, delta);
    CountingBit changed;
    for (size_t type = 0; type < base.networks.size(); ++type)
        for (size_t c = 0; c < base.networks[type].size(); ++c) {
            const std::optional<Network>& from = base.networks[type][c];
            if (!from.has_value()) continue;
            std::optional<Network>& to = fitted.networks[type][c];
            if (coder.code(*from == *to ? 0 : 1, changed) == 1) differences.code(*from, *to);
        }
}

bool same_shape(const Layer& a, const Layer& b) {
    return a.inputs == b.inputs && a.outputs == b.outputs && a.shifts == b.shifts;
}

bool same_shape(const std::optional<Network>& a, const std::optional<Network>& b) {
    if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
    return a->inputs == b->inputs && a->errors == b->errors && same_shape(a->layer1, b->layer1) &&
           same_shape(a->layer2, b->layer2) && same_shape(a->layer3, b->layer3) && same_shape(a->layer4, b->layer4) &&
           same_shape(a->output, b->output);
}

struct Header {
    std::string name;
    Hash base;
    int delta;
    ByteView string;
};

Header read_header(ByteView difference) {
    Reader in(difference, "model difference");
    in.take(sizeof kMagic, "signature");
    if (in.u8("version") != kVersion) in.fail("version", "is not 0, the only one that this library knows");
    Header header;
    header.name = in.name("name");
    const ByteView hash = in.take(header.base.size(), "SHA-256 of the model that it starts from");
    std::copy_n(hash.data, hash.size, header.base.begin());
    header.delta = in.u8_in(0, kDeltas - 1, "slope");
    header.string = in.take(in.remaining(), "changes");
    return header;
}

}  // namespace

bool is_model_difference(ByteView file) {
    return file.size >= sizeof kMagic && std::equal(kMagic, kMagic + sizeof kMagic, file.data);
}

Hash difference_base(ByteView difference) { return read_header(difference).base; }

Bytes apply_model_difference(ByteView difference, ByteView base) {
    const Header header = read_header(difference);
    if (sha256(base) != header.base)
        throw BitstreamError("model difference: it starts from another model, SHA-256 " + hex(header.base));
    const Model from = parse_model(base);
    Model fitted = from;
    fitted.name = header.name;
    RangeDecoder coder(header.string);
    BitDecoder bits(coder);
    code_networks(bits, header.delta, from, fitted);
    return write_model(fitted);
}

std::optional<Bytes> whole_model(Bytes file, const std::function<std::optional<Bytes>(const Hash&)>& find) {
    if (!is_model_difference(file)) return file;
    const std::optional<Bytes> base = find ? find(difference_base(file)) : std::nullopt;
    if (!base.has_value()) return std::nullopt;
    return apply_model_difference(file, *base);
}

Bytes write_model_difference(ByteView base, ByteView fitted, int delta) {
    if (delta < 0 || delta >= kDeltas) throw std::invalid_argument("delta must be 0, 1 or 2");
    const Model from = parse_model(base);
    Model to = parse_model(fitted);
    Writer out;
    for (const uint8_t byte : kMagic) out.u8(byte);
    out.u8(kVersion);
    out.name(to.name);
    out.append({from.hash.data(), from.hash.size()});
    out.u8(delta);
    RangeEncoder coder;
    BitEncoder bits(coder);
    bool alike = true;
    for (size_t type = 0; type < from.networks.size(); ++type)
        for (size_t c = 0; c < from.networks[type].size(); ++c)
            alike = alike && same_shape(from.networks[type][c], to.networks[type][c]);
    if (alike) code_networks(bits, delta, from, to);
    out.append(coder.finish());
    if (!alike || apply_model_difference(out.bytes, base) != fitted.copy())
        throw std::invalid_argument("the fitted model has changes that a difference cannot hold");
    return out.bytes;
}

}  // namespace nlvc
