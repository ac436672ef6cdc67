#if defined(__x86_64__)
#include <immintrin.h>

#include "learning/plain_product.h"

namespace nlvc {
namespace {

/// Pairs of bfloat16 values multiplied and added in float32. Weights and activations are small integers, which bfloat16
/// holds exactly; derivatives are rounded.
struct Bf16Product {
    using Word = uint32_t;
    static constexpr int kPair = 2;

    /// The bits of a value as bfloat16, to the nearest.
    static uint32_t narrow(float value) {
        uint32_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        return (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
    }
    static __m512i narrow(__m512 value) {
        const __m512i bits = _mm512_castps_si512(value);
        const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
        return _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd), 16);
    }
    static __m512i pair(__m512 low, __m512 high) {
        return _mm512_or_si512(narrow(low), _mm512_slli_epi32(narrow(high), 16));
    }
    /// Neighbours of 32 values.
    static __m512i pairs(const float* from) {
        const __m512 a = _mm512_loadu_ps(from), b = _mm512_loadu_ps(from + 16);
        const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
        const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
        return pair(_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b));
    }

    static void left(const float* rows, int stride, int count, int n, Word* words) {
        const int depth = (n + 1) / 2;
        for (int j = 0; j < count; ++j) {
            const float* from = rows + static_cast<size_t>(j) * stride;
            Word* to = words + static_cast<size_t>(j) * depth;
            int i = 0;
            for (; i + 32 <= n; i += 32) _mm512_storeu_si512(to + i / 2, pairs(from + i));
            for (; i < n; i += 2) to[i / 2] = narrow(from[i]) | (i + 1 < n ? narrow(from[i + 1]) << 16 : 0u);
        }
    }

    static void right(const Row* rows, int count, Word* words) {
        for (int i = 0; i < count; i += 2)
            for (int n = 0; n < kTile; n += 16) {
                const __m512 low = _mm512_loadu_ps(rows[i] + n);
                const __m512 high = i + 1 < count ? _mm512_loadu_ps(rows[i + 1] + n) : _mm512_setzero_ps();
                _mm512_storeu_si512(words + i / 2 * kTile + n, pair(low, high));
            }
    }

    static void right_turned(const Row* rows, int count, Word* words, int width) {
        for (int i = 0; i < width; i += 16)
            for (int n = 0; n < kTile; n += 32) {
                __m512i block[16];
                for (int k = 0; k < 16; ++k) block[k] = i + k < count ? pairs(rows[i + k] + n) : _mm512_setzero_si512();
                turn(block);
                for (int k = 0; k < 16; ++k) _mm512_storeu_si512(words + (n / 2 + k) * width + i, block[k]);
            }
    }

    /// Transposes 16x16 words.
    static void turn(__m512i* r) {
        __m512i t[16];
        for (int i = 0; i < 16; i += 2) {
            t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
            t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
        }
        for (int i = 0; i < 16; i += 4) {
            r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
            r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
            r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
            r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
        }
        // r[4 i + c]: 128-bit part p holds column 4 p + c of rows 4 i .. 4 i + 3
        for (int c = 0; c < 4; ++c) {
            const __m512i a = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88),
                          b = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xdd);
            const __m512i d = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
            const __m512i e = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xdd);
            t[c] = _mm512_shuffle_i32x4(a, d, 0x88);
            t[8 + c] = _mm512_shuffle_i32x4(a, d, 0xdd);
            t[4 + c] = _mm512_shuffle_i32x4(b, e, 0x88);
            t[12 + c] = _mm512_shuffle_i32x4(b, e, 0xdd);
        }
        std::copy_n(t, 16, r);
    }

    template <bool add, int kRows, int kVectors>
    static void block(const Word* a, int depth, const Word* b, int columns, float* c, int stride) {
        __m512 sum[kRows][kVectors];
        for (int j = 0; j < kRows; ++j)
            for (int v = 0; v < kVectors; ++v)
                sum[j][v] = add ? _mm512_loadu_ps(c + static_cast<size_t>(j) * stride + v * 16) : _mm512_setzero_ps();
        for (int i = 0; i < depth; ++i) {
            __m512i x[kVectors];
            for (int v = 0; v < kVectors; ++v) x[v] = _mm512_loadu_si512(b + static_cast<size_t>(i) * columns + v * 16);
            for (int j = 0; j < kRows; ++j) {
                const __m512i weight = _mm512_set1_epi32(static_cast<int>(a[static_cast<size_t>(j) * depth + i]));
                for (int v = 0; v < kVectors; ++v)
                    sum[j][v] = _mm512_dpbf16_ps(sum[j][v], reinterpret_cast<__m512bh>(x[v]),
                                                 reinterpret_cast<__m512bh>(weight));
            }
        }
        for (int j = 0; j < kRows; ++j)
            for (int v = 0; v < kVectors; ++v)
                _mm512_storeu_ps(c + static_cast<size_t>(j) * stride + v * 16, sum[j][v]);
    }

    template <bool add, int kVectors>
    static void columns_of(const Word* a, int rows, int depth, const Word* b, int columns, float* c, int stride) {
        constexpr int kRows = 6;
        int j = 0;
        for (; j + kRows <= rows; j += kRows)
            block<add, kRows, kVectors>(a + static_cast<size_t>(j) * depth, depth, b, columns,
                                        c + static_cast<size_t>(j) * stride, stride);
        for (; j + 3 <= rows; j += 3)
            block<add, 3, kVectors>(a + static_cast<size_t>(j) * depth, depth, b, columns,
                                    c + static_cast<size_t>(j) * stride, stride);
        for (; j < rows; ++j)
            block<add, 1, kVectors>(a + static_cast<size_t>(j) * depth, depth, b, columns,
                                    c + static_cast<size_t>(j) * stride, stride);
    }

    template <bool add>
    static void multiply(const Word* a, int rows, int depth, const Word* b, int columns, float* c, int stride) {
        int n = 0;
        for (; n + 64 <= columns; n += 64) columns_of<add, 4>(a, rows, depth, b + n, columns, c + n, stride);
        for (; n < columns; n += 16) columns_of<add, 1>(a, rows, depth, b + n, columns, c + n, stride);
    }
};

}  // namespace

const Learner kBf16Learner{"avx512bf16", run_tiles<Bf16Product>};

}  // namespace nlvc
#endif
