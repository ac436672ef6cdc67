// Compares the transformer's dense layers and attention of every set of kernels of this processor with the plain
// loops, on numbers at the ends of their ranges: run by tests/test_processors.py, also for other processors.
// Prints the names of the sets of kernels.
#include <cstdlib>
#include <iostream>
#include <random>

#include "kernels/kernels.h"

using namespace nlvc;

namespace {

/// Random bytes, some of them at both ends.
template <class T>
std::vector<T> random_bytes(std::mt19937& random, size_t count, int low, int high) {
    std::vector<T> bytes(count);
    for (T& byte : bytes) {
        const auto kind = random() % 4;
        byte = static_cast<T>(kind == 0 ? low : kind == 1 ? high : low + static_cast<int>(random() % (high - low + 1)));
    }
    return bytes;
}

std::vector<int32_t> random_numbers(std::mt19937& random, size_t count, int low, int high) {
    std::vector<int32_t> numbers(count);
    for (int32_t& number : numbers) number = low + static_cast<int32_t>(random() % (high - low + 1));
    return numbers;
}

void expect(bool same, const char* what, const Kernels& kernels) {
    if (same) return;
    std::cerr << what << " of " << kernels.name << " differs\n";
    std::exit(1);
}

void check_dense(const Kernels& kernels, int words, int lanes) {
    std::mt19937 random(words * 1000 + lanes);
    const auto weights = random_bytes<uint8_t>(random, static_cast<size_t>(words) * lanes * 4, 1, 255);
    const auto x = random_bytes<int8_t>(random, words * 4, -127, 127);
    const auto bias = random_numbers(random, lanes, -30000, 30000), multiplier = random_numbers(random, lanes, 0, 511),
               shift = random_numbers(random, lanes, 1, 22);
    std::vector<int32_t> half, found(lanes), wanted(lanes);
    for (const int32_t s : shift) half.push_back(1 << s >> 1);
    const TransformerDense layer = {words, lanes, weights.data(), multiplier.data(), half.data(), shift.data()};
    kernels.transformer_dense(layer, x.data(), bias.data(), found.data());
    kScalarKernels.transformer_dense(layer, x.data(), bias.data(), wanted.data());
    expect(found == wanted, "a dense layer", kernels);
}

void check_attention(const Kernels& kernels, int key_words, int value_lanes, bool absent) {
    std::mt19937 random(key_words * 1000 + value_lanes);
    const auto keys = random_bytes<uint8_t>(random, static_cast<size_t>(kTokens) * key_words * 4, 1, 255);
    const auto values = random_bytes<uint8_t>(random, static_cast<size_t>(kTokens) * value_lanes, 1, 255);
    const auto distance = random_numbers(random, kTokens, 0, 1922);
    std::vector<int32_t> penalty(kTokens), found(value_lanes), wanted(value_lanes);
    for (int32_t& p : penalty) p = random() % 3 == 0 ? -kHidden : 0;
    for (const int32_t falloff : {0, 3000, 1 << 19})
        for (const int rank : {0, 31, 32, 47, 48, 500, 1023})
            for (const int size : {2, 127}) {
                const auto query = random_bytes<int8_t>(random, key_words * 4, -size, size);
                const AttentionKeys head = {
                    key_words, value_lanes, keys.data(), values.data(), absent ? penalty.data() : nullptr, falloff};
                const int32_t sum = kernels.attend(head, query.data(), rank, distance.data(), found.data());
                const int32_t same = kScalarKernels.attend(head, query.data(), rank, distance.data(), wanted.data());
                expect(sum == same && found == wanted, "attention", kernels);
            }
}

}  // namespace

int main() {
    for (const Kernels* kernels : available_kernels()) {
        for (const int words : {1, 16, 31, 32})
            for (const int lanes : {16, 32, 48, 64, 112}) check_dense(*kernels, words, lanes);
        for (const int key_words : {1, 7, 31})
            for (const int value_lanes : {16, 32, 48, 128})
                for (const bool absent : {false, true}) check_attention(*kernels, key_words, value_lanes, absent);
        std::cout << kernels->name << "\n";
    }
}
