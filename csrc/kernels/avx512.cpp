// Kernels for AVX-512 with VNNI: a register is the sixteen lanes. Nothing in this file may be shared with code for
// other processors (no inline function of a common header is called with these flags but through the anonymous
// namespace).
#if defined(__x86_64__)
#include <immintrin.h>

#include <utility>

#include "kernels/kernels.h"
#include "kernels/pack.h"
#include "kernels/vector_tables.h"

namespace nlvc {
namespace {

using I32 = __m512i;
using Mask = __mmask16;

constexpr const char* kName = "avx512vnni";
constexpr int kRows = 16;

inline I32 set(int32_t v) { return _mm512_set1_epi32(v); }
inline I32 load(const int32_t* p) { return _mm512_loadu_si512(p); }
inline void store(int32_t* p, I32 a) { _mm512_storeu_si512(p, a); }
inline I32 load_u8(const int8_t* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline I32 load_u16(const uint16_t* p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline I32 add(I32 a, I32 b) { return _mm512_add_epi32(a, b); }
inline I32 sub(I32 a, I32 b) { return _mm512_sub_epi32(a, b); }
inline I32 mul(I32 a, I32 b) { return _mm512_mullo_epi32(a, b); }
inline I32 min(I32 a, I32 b) { return _mm512_min_epi32(a, b); }
inline I32 max(I32 a, I32 b) { return _mm512_max_epi32(a, b); }
inline I32 band(I32 a, I32 b) { return _mm512_and_si512(a, b); }
inline I32 bor(I32 a, I32 b) { return _mm512_or_si512(a, b); }
inline I32 bxor(I32 a, I32 b) { return _mm512_xor_si512(a, b); }
inline I32 sll(I32 a, int n) { return _mm512_sll_epi32(a, _mm_cvtsi32_si128(n)); }
inline I32 srl(I32 a, int n) { return _mm512_srl_epi32(a, _mm_cvtsi32_si128(n)); }
inline I32 sra(I32 a, int n) { return _mm512_sra_epi32(a, _mm_cvtsi32_si128(n)); }
inline I32 srl_by(I32 a, I32 b) { return _mm512_srlv_epi32(a, b); }
inline I32 absolute(I32 a) { return _mm512_abs_epi32(a); }
inline Mask less(I32 a, I32 b) { return _mm512_cmplt_epi32_mask(a, b); }
inline Mask both(Mask m, Mask n) { return _kand_mask16(m, n); }
inline I32 keep(Mask m, I32 a) { return _mm512_maskz_mov_epi32(m, a); }
inline I32 blend(Mask m, I32 a, I32 b) { return _mm512_mask_mov_epi32(a, m, b); }
inline void store_bytes(int8_t* p, I32 a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a)); }
inline I32 adds_u8(I32 a, I32 b) { return _mm512_adds_epu8(a, b); }
inline I32 sra_by(I32 a, I32 b) { return _mm512_srav_epi32(a, b); }
inline void dot4(I32& acc, I32 x, const int32_t* w) {
    // GCC 12 copies every accumulator twice around the intrinsic; the instruction itself adds in place.
    asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(x), "m"(*w));
}
inline void dot4_each(I32& acc, I32 x, I32 w) { acc = _mm512_dpbusd_epi32(acc, x, w); }
inline I32 pick(const int32_t* table, I32 index) {
    const __m256i t = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(table));
    return _mm512_permutexvar_epi32(index, _mm512_castsi256_si512(t));
}
inline void dot4_wide(I32& acc, I32 x, const int32_t* w) { dot4(acc, x, w); }
inline I32 bytes4(I32 a, I32 b, I32 c, I32 d) {
    const I32 rows = _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
    const __m128i turn = _mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    return _mm512_shuffle_epi8(rows, _mm512_broadcast_i32x4(turn));
}

inline I32 quotient(I32 a, I32 b) {
    // Exact: a / b differs from an integer above it by at least 1 / b, more than the rounding of a < 2^24.
    return _mm512_cvttps_epi32(_mm512_div_ps(_mm512_cvtepi32_ps(a), _mm512_cvtepi32_ps(b)));
}

/// 128 entries of 16 bits in four registers, looked up where `words` says; the others stay zero.
inline I32 look_up_words(const uint16_t* table, I32 index, __mmask32 words, __mmask32 upper) {
    const __m512i low =
        _mm512_maskz_permutex2var_epi16(words, _mm512_load_si512(table), index, _mm512_load_si512(table + 32));
    return _mm512_mask_mov_epi16(
        low, upper, _mm512_permutex2var_epi16(_mm512_load_si512(table + 64), index, _mm512_load_si512(table + 96)));
}

/// 256 entries of 16 bits
inline I32 look_up(const uint16_t* table, I32 index) {
    constexpr __mmask32 kEven = 0x55555555;  // a lane's upper word stays zero
    const __mmask32 upper = _mm512_mask_test_epi16_mask(kEven, index, set(64));
    const Mask last = _mm512_test_epi32_mask(index, set(128));
    return _mm512_mask_mov_epi32(look_up_words(table, index, kEven, upper), last,
                                 look_up_words(table + 128, index, kEven, upper));
}
inline I32 exp_of(I32 index) { return look_up(kVectorTables.exp_words, index); }
struct Scales {
    I32 scale, inverse;
};
inline Scales scales_of(I32 index) {
    return {look_up(kVectorTables.scale_words, index), look_up(kVectorTables.inverse_words, index)};
}

struct Two {
    I32 first, second;
};
/// Both side by side in 16 bits, so that one instruction looks up for both.
inline Two tails(I32 first, I32 second) {
    const VectorTables& t = kVectorTables;
    constexpr __mmask32 kAll = 0xffffffff;
    const I32 u = _mm512_packs_epi32(first, second);
    const I32 index = _mm512_srli_epi16(u, 8), fraction = _mm512_and_si512(u, set(t.fractions));
    const __mmask32 upper = _mm512_test_epi16_mask(u, set(t.upper_indices));
    const I32 top = look_up_words(t.top, index, kAll, upper), fall = look_up_words(t.fall, index, kAll, upper);
    const I32 shift = look_up_words(t.shift, index, kAll, upper);
    // (top + 1) * 256 + fall * fraction, the fall being negative
    const I32 one = set(t.one), ones = set(t.ones), zero = _mm512_setzero_si512();
    const I32 a = _mm512_dpwssd_epi32(one, _mm512_unpacklo_epi16(top, fall), _mm512_unpacklo_epi16(ones, fraction));
    const I32 b = _mm512_dpwssd_epi32(one, _mm512_unpackhi_epi16(top, fall), _mm512_unpackhi_epi16(ones, fraction));
    return {_mm512_srlv_epi32(a, _mm512_unpacklo_epi16(shift, zero)),
            _mm512_srlv_epi32(b, _mm512_unpackhi_epi16(shift, zero))};
}
inline I32 tail(I32 u) { return tails(u, u).first; }

inline void store_turned(const I32* columns, uint32_t (*rows)[kFirstWindow]) {
    I32 four[2][4];  // [j / 4][i]: columns 4 * (j / 4) .. + 3 of lanes i, 4 + i, 8 + i, 12 + i
    for (int half = 0; half < 2; ++half) {
        const I32* c = columns + 4 * half;
        const I32 ab0 = _mm512_unpacklo_epi32(c[0], c[1]), ab2 = _mm512_unpackhi_epi32(c[0], c[1]);
        const I32 cd0 = _mm512_unpacklo_epi32(c[2], c[3]), cd2 = _mm512_unpackhi_epi32(c[2], c[3]);
        four[half][0] = _mm512_unpacklo_epi64(ab0, cd0);
        four[half][1] = _mm512_unpackhi_epi64(ab0, cd0);
        four[half][2] = _mm512_unpacklo_epi64(ab2, cd2);
        four[half][3] = _mm512_unpackhi_epi64(ab2, cd2);
    }
    auto put = [&](int lane, __m256i row) { _mm256_store_si256(reinterpret_cast<__m256i*>(rows[lane]), row); };
    for (int i = 0; i < 4; ++i) {
        const I32 near = _mm512_permutex2var_epi64(four[0][i], _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0), four[1][i]);
        const I32 far = _mm512_permutex2var_epi64(four[0][i], _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4), four[1][i]);
        put(i, _mm512_castsi512_si256(near));
        put(4 + i, _mm512_extracti64x4_epi64(near, 1));
        put(8 + i, _mm512_castsi512_si256(far));
        put(12 + i, _mm512_extracti64x4_epi64(far, 1));
    }
}

inline uint32_t reached(const uint32_t* bounds, uint64_t unit, uint64_t code) {
    const __m512i u = _mm512_set1_epi64(static_cast<int64_t>(unit)), c = _mm512_set1_epi64(static_cast<int64_t>(code));
    const __m512i b = _mm512_cvtepu32_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bounds)));
    return _mm512_cmple_epu64_mask(_mm512_mul_epu32(b, u), c);
}

// Each builds on those before it.
// clang-format off
#include "kernels/block_loops.h"
#include "kernels/product_loops.h"
#include "kernels/rows_avx2.h"

inline Row row_words(I32 a) { return _mm512_cvtepi32_epi16(a); }
inline Row row_keep(Mask m, Row a) { return _mm256_maskz_mov_epi16(m, a); }
inline I32 taps4(Row a, Row b, Row c, Row d) {
    __m256i even, odd;
    interleave4(a, b, c, d, even, odd);
    const I32 words = _mm512_permutex2var_epi64(_mm512_castsi256_si512(even), _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0),
                                                _mm512_castsi256_si512(odd));
    return _mm512_max_epi8(words, _mm512_set1_epi8(-127));
}

inline I32 twice(I32 a) { return _mm512_broadcast_i64x4(_mm512_castsi512_si256(a)); }
inline void store_turned8(const I32* columns, uint32_t (*rows)[kFirstWindow]) {
    __m256i half[kFirstWindow];
    for (int j = 0; j < kFirstWindow; j += 2) {
        half[j] = _mm512_castsi512_si256(columns[j / 2]);
        half[j + 1] = _mm512_extracti64x4_epi64(columns[j / 2], 1);
    }
    turn8(half, rows);
}

using Bytes4 = __m512i;
inline Bytes4 load_bytes4(const int8_t* a, const int8_t* b, const int8_t* c, const int8_t* d) {
    auto row = [](const int8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); };
    Bytes4 v = _mm512_castsi128_si512(row(a));
    v = _mm512_inserti32x4(v, row(b), 1);
    v = _mm512_inserti32x4(v, row(c), 2);
    return _mm512_inserti32x4(v, row(d), 3);
}
inline Bytes4 repeat_bytes(const int8_t* p) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
using ByteMask = uint16_t;
inline ByteMask byte_mask(Mask m) { return m; }
inline ByteMask all_bytes(bool is) { return is ? 0xffff : 0; }
inline ByteMask both_bytes(ByteMask m, ByteMask n) { return m & n; }
inline Bytes4 bytes_keep(Bytes4 v, ByteMask a, ByteMask b, ByteMask c, ByteMask d) {
    const uint64_t low = a | uint32_t{b} << 16, high = c | uint32_t{d} << 16;
    return _mm512_maskz_mov_epi8(low | high << 32, v);
}
inline Bytes4 bytes_or(Bytes4 a, Bytes4 b) { return _mm512_or_si512(a, b); }
inline Bytes4 bytes_sub(Bytes4 a, Bytes4 b) { return _mm512_subs_epi8(a, b); }
inline Bytes4 bytes_abs(Bytes4 a) { return _mm512_abs_epi8(_mm512_max_epi8(a, _mm512_set1_epi8(-127))); }
inline I32 turn_bytes(Bytes4 a) {
    const __m512i fours = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const __m128i turn = _mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const I32 words = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(fours, a), _mm512_broadcast_i32x4(turn));
    return _mm512_max_epi8(words, _mm512_set1_epi8(-127));
}

#include "kernels/row_blocks.h"
#include "kernels/vector.h"
#include "kernels/vector_open8.h"
// clang-format on

namespace half {
#include "kernels/lanes8_avx2.h"

inline void dot4(I32& acc, I32 x, const int32_t* w) {
    asm("vpdpbusd %2%{1to8%}, %1, %0" : "+v"(acc) : "v"(x), "m"(*w));  // as above
}
inline void dot4_wide(I32& acc, I32 x, const int32_t* w) { dot4(acc, x, w); }

#include "kernels/vector_half.h"
}  // namespace half
}  // namespace

const Kernels kAvx512Kernels = table(&half::kTable);

}  // namespace nlvc

#endif
