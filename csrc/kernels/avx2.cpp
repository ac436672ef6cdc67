// Kernels for AVX2: two registers hold the sixteen lanes. Nothing in this file may be shared with code for other
// processors.
#if defined(__x86_64__)
#include <immintrin.h>

#include <utility>

#include "kernels/kernels.h"
#include "kernels/pack.h"
#include "kernels/vector_tables.h"

namespace nlvc {
namespace {

struct I32 {
    __m256i low, high;  ///< lanes 0..7, 8..15
};
using Mask = I32;  // all ones or zero in each lane

constexpr const char* kName = "avx2";
constexpr int kRows = 4;

inline I32 set(int32_t v) {
    const __m256i a = _mm256_set1_epi32(v);
    return {a, a};
}
inline I32 load(const int32_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))};
}
inline void store(int32_t* p, I32 a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.low);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), a.high);
}
inline __m128i load_half(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline I32 load_u16(const uint16_t* p) {
    return {_mm256_cvtepu16_epi32(load_half(p)), _mm256_cvtepu16_epi32(load_half(p + 8))};
}
inline I32 load_u8(const int8_t* p) {
    const __m128i bytes = load_half(p);
    return {_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8))};
}
inline I32 add(I32 a, I32 b) { return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)}; }
inline I32 sub(I32 a, I32 b) { return {_mm256_sub_epi32(a.low, b.low), _mm256_sub_epi32(a.high, b.high)}; }
inline I32 mul(I32 a, I32 b) { return {_mm256_mullo_epi32(a.low, b.low), _mm256_mullo_epi32(a.high, b.high)}; }
inline I32 min(I32 a, I32 b) { return {_mm256_min_epi32(a.low, b.low), _mm256_min_epi32(a.high, b.high)}; }
inline I32 max(I32 a, I32 b) { return {_mm256_max_epi32(a.low, b.low), _mm256_max_epi32(a.high, b.high)}; }
inline I32 band(I32 a, I32 b) { return {_mm256_and_si256(a.low, b.low), _mm256_and_si256(a.high, b.high)}; }
inline I32 bor(I32 a, I32 b) { return {_mm256_or_si256(a.low, b.low), _mm256_or_si256(a.high, b.high)}; }
inline I32 bxor(I32 a, I32 b) { return {_mm256_xor_si256(a.low, b.low), _mm256_xor_si256(a.high, b.high)}; }
inline I32 sll(I32 a, int n) {
    const __m128i by = _mm_cvtsi32_si128(n);
    return {_mm256_sll_epi32(a.low, by), _mm256_sll_epi32(a.high, by)};
}
inline I32 srl(I32 a, int n) {
    const __m128i by = _mm_cvtsi32_si128(n);
    return {_mm256_srl_epi32(a.low, by), _mm256_srl_epi32(a.high, by)};
}
inline I32 sra(I32 a, int n) {
    const __m128i by = _mm_cvtsi32_si128(n);
    return {_mm256_sra_epi32(a.low, by), _mm256_sra_epi32(a.high, by)};
}
inline I32 srl_by(I32 a, I32 b) { return {_mm256_srlv_epi32(a.low, b.low), _mm256_srlv_epi32(a.high, b.high)}; }
inline I32 absolute(I32 a) { return {_mm256_abs_epi32(a.low), _mm256_abs_epi32(a.high)}; }
inline Mask less(I32 a, I32 b) { return {_mm256_cmpgt_epi32(b.low, a.low), _mm256_cmpgt_epi32(b.high, a.high)}; }
inline Mask both(Mask m, Mask n) { return band(m, n); }
inline I32 keep(Mask m, I32 a) { return band(m, a); }
inline I32 blend(Mask mask, I32 a, I32 b) {
    return {_mm256_blendv_epi8(a.low, b.low, mask.low), _mm256_blendv_epi8(a.high, b.high, mask.high)};
}
inline void store_bytes(int8_t* p, I32 a) {
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(a.low, a.high), 0xd8);
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
}
inline I32 adds_u8(I32 a, I32 b) { return {_mm256_adds_epu8(a.low, b.low), _mm256_adds_epu8(a.high, b.high)}; }

inline I32 sra_by(I32 a, I32 b) { return {_mm256_srav_epi32(a.low, b.low), _mm256_srav_epi32(a.high, b.high)}; }

inline void dot4(I32& acc, I32 x, const int32_t* w) {
    // |w| <= 64: the 16-bit sum of two products is at most 32640 and cannot saturate
    const __m256i words = _mm256_set1_epi32(*w), ones = _mm256_set1_epi16(1);
    acc.low = _mm256_add_epi32(acc.low, _mm256_madd_epi16(_mm256_maddubs_epi16(x.low, words), ones));
    acc.high = _mm256_add_epi32(acc.high, _mm256_madd_epi16(_mm256_maddubs_epi16(x.high, words), ones));
}

inline __m256i dot4_half(__m256i acc, __m256i x, __m256i w) {
    const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), odd = _mm256_srai_epi16(w, 8);
    const __m256i first = _mm256_madd_epi16(_mm256_and_si256(x, _mm256_set1_epi16(255)), even);
    return _mm256_add_epi32(acc, _mm256_add_epi32(first, _mm256_madd_epi16(_mm256_srli_epi16(x, 8), odd)));
}
inline void dot4_each(I32& acc, I32 x, I32 w) {
    acc = {dot4_half(acc.low, x.low, w.low), dot4_half(acc.high, x.high, w.high)};
}
inline void dot4_wide(I32& acc, I32 x, const int32_t* w) { dot4_each(acc, x, set(*w)); }
inline I32 pick(const int32_t* table, I32 index) {
    const __m256i t = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(table));
    return {_mm256_permutevar8x32_epi32(t, index.low), _mm256_permutevar8x32_epi32(t, index.high)};
}

inline I32 bytes4(I32 a, I32 b, I32 c, I32 d) {
    const __m256i turn =
        _mm256_broadcastsi128_si256(_mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0));
    auto half = [&](__m256i p, __m256i q, __m256i r, __m256i s) {
        return _mm256_shuffle_epi8(_mm256_packus_epi16(_mm256_packs_epi32(p, q), _mm256_packs_epi32(r, s)), turn);
    };
    return {half(a.low, b.low, c.low, d.low), half(a.high, b.high, c.high, d.high)};
}

inline I32 quotient(I32 a, I32 b) {
    // Exact: a / b differs from an integer above it by at least 1 / b, more than the rounding of a < 2^24.
    auto divide = [](__m256i x, __m256i y) {
        return _mm256_cvttps_epi32(_mm256_div_ps(_mm256_cvtepi32_ps(x), _mm256_cvtepi32_ps(y)));
    };
    return {divide(a.low, b.low), divide(a.high, b.high)};
}

inline I32 look_up(const int32_t* table, I32 index) {
    return {_mm256_i32gather_epi32(table, index.low, 4), _mm256_i32gather_epi32(table, index.high, 4)};
}

#include "kernels/pair_lookups.h"

inline I32 tail(I32 u) {
    return tail_with(u, [](I32 delta, I32 fraction) -> I32 {
        return {_mm256_madd_epi16(delta.low, fraction.low), _mm256_madd_epi16(delta.high, fraction.high)};
    });
}
struct Two {
    I32 first, second;
};
inline Two tails(I32 u, I32 v) { return {tail(u), tail(v)}; }

inline uint32_t reached(const uint32_t* bounds, uint64_t unit, uint64_t code) {
    const __m256i u = _mm256_set1_epi64x(static_cast<int64_t>(unit)),
                  c = _mm256_set1_epi64x(static_cast<int64_t>(code));
    // products and code stay below 2^49, so the signed comparison serves
    auto four = [&](const uint32_t* p) {
        const __m256i b = _mm256_cvtepu32_epi64(load_half(p));
        const __m256i above = _mm256_cmpgt_epi64(_mm256_mul_epu32(b, u), c);
        return static_cast<uint32_t>(~_mm256_movemask_pd(_mm256_castsi256_pd(above))) & 15u;
    };
    return four(bounds) | four(bounds + 4) << 4;
}

// Each builds on those before it.
// clang-format off
#include "kernels/block_loops.h"
#include "kernels/product_loops.h"
#include "kernels/rows_avx2.h"

inline Row row_words(I32 a) {
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(a.low, a.high), 0xd8);
}
inline Row row_keep(Mask m, Row a) { return row_and(a, row_words(m)); }
inline I32 taps4(Row a, Row b, Row c, Row d) {
    __m256i even, odd;
    interleave4(a, b, c, d, even, odd);
    const __m256i least = _mm256_set1_epi8(-127);
    return {_mm256_max_epi8(_mm256_permute2x128_si256(even, odd, 0x20), least),
            _mm256_max_epi8(_mm256_permute2x128_si256(even, odd, 0x31), least)};
}

inline void store_turned(const I32* columns, uint32_t (*rows)[kFirstWindow]) {
    __m256i half[kFirstWindow];
    for (int j = 0; j < kFirstWindow; ++j) half[j] = columns[j].low;
    turn8(half, rows);
    for (int j = 0; j < kFirstWindow; ++j) half[j] = columns[j].high;
    turn8(half, rows + kLanes / 2);
}
inline I32 twice(I32 a) { return {a.low, a.low}; }
inline void store_turned8(const I32* columns, uint32_t (*rows)[kFirstWindow]) {
    __m256i half[kFirstWindow];
    for (int j = 0; j < kFirstWindow; ++j) half[j] = j % 2 == 0 ? columns[j / 2].low : columns[j / 2].high;
    turn8(half, rows);
}

struct Bytes4 {
    __m256i ac, bd;
};
inline Bytes4 load_bytes4(const int8_t* a, const int8_t* b, const int8_t* c, const int8_t* d) {
    auto two = [](const int8_t* p, const int8_t* q) {
        return _mm256_inserti128_si256(_mm256_castsi128_si256(load_half(p)), load_half(q), 1);
    };
    return {two(a, c), two(b, d)};
}
inline Bytes4 repeat_bytes(const int8_t* p) {
    const __m256i two = _mm256_broadcastsi128_si256(load_half(p));
    return {two, two};
}
using ByteMask = __m128i;
inline ByteMask byte_mask(Mask m) {
    alignas(16) int8_t bytes[kLanes];
    store_bytes(bytes, m);
    return load_half(bytes);
}
inline ByteMask all_bytes(bool is) { return _mm_set1_epi8(is ? -1 : 0); }
inline ByteMask both_bytes(ByteMask m, ByteMask n) { return _mm_and_si128(m, n); }
inline Bytes4 bytes_keep(Bytes4 v, ByteMask a, ByteMask b, ByteMask c, ByteMask d) {
    return {_mm256_and_si256(v.ac, _mm256_set_m128i(c, a)), _mm256_and_si256(v.bd, _mm256_set_m128i(d, b))};
}
inline Bytes4 bytes_or(Bytes4 a, Bytes4 b) { return {_mm256_or_si256(a.ac, b.ac), _mm256_or_si256(a.bd, b.bd)}; }
inline Bytes4 bytes_sub(Bytes4 a, Bytes4 b) {
    return {_mm256_subs_epi8(a.ac, b.ac), _mm256_subs_epi8(a.bd, b.bd)};
}
inline Bytes4 bytes_abs(Bytes4 a) {
    const __m256i least = _mm256_set1_epi8(-127);
    return {_mm256_abs_epi8(_mm256_max_epi8(a.ac, least)), _mm256_abs_epi8(_mm256_max_epi8(a.bd, least))};
}
inline I32 turn_bytes(Bytes4 a) {
    const __m256i turn = _mm256_broadcastsi128_si256(_mm_set_epi8(15, 14, 7, 6, 13, 12, 5, 4, 11, 10, 3, 2, 9, 8, 1, 0));
    const __m256i least = _mm256_set1_epi8(-127);
    auto half = [&](__m256i pairs) {  // of a and b, then those of c and d
        return _mm256_max_epi8(_mm256_shuffle_epi8(_mm256_permute4x64_epi64(pairs, 0xd8), turn), least);
    };
    return {half(_mm256_unpacklo_epi8(a.ac, a.bd)), half(_mm256_unpackhi_epi8(a.ac, a.bd))};
}

#include "kernels/row_blocks.h"
#include "kernels/vector.h"
#include "kernels/vector_open8.h"
// clang-format on

namespace half {
#include "kernels/lanes8_avx2.h"

inline void dot4(I32& acc, I32 x, const int32_t* w) {
    const __m256i pairs = _mm256_maddubs_epi16(x, _mm256_set1_epi32(*w));  // as above
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
inline void dot4_wide(I32& acc, I32 x, const int32_t* w) { acc = dot4_half(acc, x, _mm256_set1_epi32(*w)); }

#include "kernels/vector_half.h"
}  // namespace half
}  // namespace

const Kernels kAvx2Kernels = table(&half::kTable);

}  // namespace nlvc

#endif
