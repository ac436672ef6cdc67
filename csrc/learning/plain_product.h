// Products in float32, one value to a word: the definition of what TileLearner needs.
#pragma once
#include <algorithm>
#include <cstring>

#include "learning/tile_learner.h"

namespace nlvc {
namespace {  // compiled for several instruction sets

struct PlainProduct {
    using Word = float;
    static constexpr int kPair = 1;

    static void left(const float* rows, int stride, int count, int n, Word* words) {
        for (int j = 0; j < count; ++j)
            std::copy_n(rows + static_cast<size_t>(j) * stride, n, words + static_cast<size_t>(j) * n);
    }
    static void right(const Row* rows, int count, Word* words) { std::copy_n(rows[0], count * kTile, words); }
    static void right_turned(const Row* rows, int count, Word* words, int width) {
        for (int n = 0; n < kTile; ++n)
            for (int i = 0; i < count; ++i) words[n * width + i] = rows[i][n];
    }

    template <bool add>
    static void multiply(const Word* a, int rows, int depth, const Word* b, int columns, float* c, int stride) {
        for (int j = 0; j < rows; ++j) {
            float* out = c + static_cast<size_t>(j) * stride;
            if (!add) std::fill_n(out, columns, 0.0f);
            for (int i = 0; i < depth; ++i) {
                const float weight = a[static_cast<size_t>(j) * depth + i];
                const Word* from = b + static_cast<size_t>(i) * columns;
                for (int n = 0; n < columns; ++n) out[n] += weight * from[n];
            }
        }
    }
};

/// Learner::run
template <class Product>
double run_tiles(const LearnerShape& shape, const float* values, const LearnerBatch& batch, float* gradient) {
    TileLearner<Product> learner(shape, values, gradient);
    double bits = 0;
    for (size_t start = 0; start < batch.count; start += kTile) bits += learner.tile(batch, start);
    learner.finish();
    return bits;
}

}  // namespace
}  // namespace nlvc
