// Weights in the order that the vector kernels read them.
#include "kernels/pack.h"

#include <algorithm>

namespace nlvc {
namespace {

constexpr int fours(int n) { return (n + 3) / 4; }

/// The inputs [0, plain) are unsigned; the rest are signed, start at a new word, and come with 128 added.
struct InputSplit {
    int plain;
    int offset;
    int words() const { return fours(plain) + fours(offset); }
};

int32_t weight_word(const int8_t* row, const InputSplit& split, int word) {
    const bool second = word >= fours(split.plain);
    const int begin = second ? split.plain + 4 * (word - fours(split.plain)) : 4 * word;
    const int end = second ? split.plain + split.offset : split.plain;
    uint32_t packed = 0;
    for (int i = 0; i < 4 && begin + i < end; ++i)
        packed |= static_cast<uint32_t>(static_cast<uint8_t>(row[begin + i])) << 8 * i;
    return static_cast<int32_t>(packed);
}

int32_t offset_sum(const int8_t* row, const InputSplit& split) {
    int32_t sum = 0;
    for (int i = 0; i < split.offset; ++i) sum += row[split.plain + i];
    return 128 * sum;
}

void pack_layer(const Layer& layer, const InputSplit& split, int rows, std::vector<int32_t>& packed) {
    const int padded = 4 * fours(layer.outputs);
    auto row = [&](int j) { return layer.weights.data() + static_cast<size_t>(j) * layer.inputs; };
    for (int j = 0; j < padded; ++j)
        packed.push_back(j < layer.outputs ? layer.biases[j] - offset_sum(row(j), split) : 0);
    for (int j = 0; j < padded; ++j) packed.push_back(j < layer.outputs ? layer.multipliers[j] : 0);
    for (int j = 0; j < padded; ++j) packed.push_back(j < layer.outputs ? layer.shifts[j] : 1);
    for (int j = 0; j < padded; ++j) packed.push_back(j < layer.outputs ? 1 << layer.shifts[j] >> 1 : 0);
    for (int first = 0; first < padded; first += rows)
        for (int word = 0; word < split.words(); ++word)
            for (int j = first; j < std::min(first + rows, padded); ++j)
                packed.push_back(j < layer.outputs ? weight_word(row(j), split, word) : 0);
}

/// 16-bit weights as 256 * high + low: high in -127..127 (section 5 bounds them), low any signed byte.
void pack_linear(const std::vector<int16_t>& weights, const InputSplit& split, int32_t bias,
                 std::vector<int32_t>& packed) {
    std::vector<int8_t> high, low;
    for (const int16_t w : weights) {
        low.push_back(static_cast<int8_t>(w & 255));
        high.push_back(static_cast<int8_t>((w - low.back()) >> 8));
    }
    packed.push_back(-offset_sum(high.data(), split));
    packed.push_back(bias - offset_sum(low.data(), split));
    for (int word = 0; word < split.words(); ++word) {
        packed.push_back(weight_word(high.data(), split, word));
        packed.push_back(weight_word(low.data(), split, word));
    }
}

}  // namespace

void pack_words(CompiledNetwork& n, int rows) {
    n.packed.clear();
    const InputSplit taps{0, n.layer1.inputs}, h1{n.layer1.outputs, 0}, h2{n.layer2.outputs, 0};
    pack_linear(n.linear, taps, n.linear_bias, n.packed);
    pack_layer(n.layer1, taps, rows, n.packed);
    pack_layer(n.layer2, h1, rows, n.packed);
    pack_linear(n.linear_hidden, h2, 0, n.packed);
    n.stage2_at = n.packed.size();
    pack_layer(n.layer3, {n.layer2.outputs, n.layer3.inputs - n.layer2.outputs}, rows, n.packed);
    pack_layer(n.layer4, {n.layer4.inputs, 0}, rows, n.packed);
    pack_layer(n.output, {n.output.inputs, 0}, rows, n.packed);
    n.steps = 0;
    for (const Layer* layer : {&n.layer1, &n.layer2, &n.layer3, &n.layer4, &n.output})
        n.steps += fours(layer->inputs) * ((4 * fours(layer->outputs) + rows - 1) / rows);
}

}  // namespace nlvc
