// Kernels for AVX-512 with VNNI: a register is the sixteen lanes. Nothing in this file may be shared with code for
// other processors (no inline function of a common header is called with these flags but through the anonymous
// namespace).
#if defined(__x86_64__)
#include <immintrin.h>

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
inline I32 load_u16(const uint16_t* p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void store_i8(int8_t* p, I32 a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a)); }
inline void store_errors(int8_t* p, const int8_t* from, bool absolute) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), absolute ? _mm_abs_epi8(v) : v);
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
inline I32 adds_u8(I32 a, I32 b) { return _mm512_adds_epu8(a, b); }
inline I32 sra_by(I32 a, I32 b) { return _mm512_srav_epi32(a, b); }
inline void dot4(I32& acc, I32 x, const int32_t* w) {
    // GCC 12 copies every accumulator twice around the intrinsic; the instruction itself adds in place.
    asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(x), "m"(*w));
}
inline void dot4_wide(I32& acc, I32 x, const int32_t* w) { dot4(acc, x, w); }
inline I32 join4(I32 a, I32 b, I32 c, I32 d) {
    return bor(bor(a, _mm512_slli_epi32(b, 8)), bor(_mm512_slli_epi32(c, 16), _mm512_slli_epi32(d, 24)));
}

// Four rows of four 4x4 blocks of bytes: the rows of a block side by side, and each block turned; both undo themselves.
inline I32 gather_blocks(I32 a) {
    return _mm512_permutexvar_epi32(_mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0), a);
}
inline I32 turn_blocks(I32 a) {
    const __m128i turn = _mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    return _mm512_shuffle_epi8(a, _mm512_broadcast_i32x4(turn));
}
inline I32 transpose4(const void* p) { return turn_blocks(gather_blocks(_mm512_loadu_si512(p))); }
inline void store_rows(void* p, I32 a) { _mm512_storeu_si512(p, gather_blocks(turn_blocks(a))); }

inline I32 quotient(I32 a, I32 b) {
    // Exact: a / b differs from an integer above it by at least 1 / b, more than the rounding of a < 2^24.
    return _mm512_cvttps_epi32(_mm512_div_ps(_mm512_cvtepi32_ps(a), _mm512_cvtepi32_ps(b)));
}

inline I32 look_up(const int32_t* table, I32 index) { return _mm512_i32gather_epi32(index, table, 4); }

/// 128 entries of 16 bits in four registers.
inline I32 look_up_words(const uint16_t* table, I32 index, Mask upper) {
    constexpr __mmask32 kEven = 0x55555555;  // a lane's upper word stays zero
    const __m512i low =
        _mm512_maskz_permutex2var_epi16(kEven, _mm512_load_si512(table), index, _mm512_load_si512(table + 32));
    const __m512i high =
        _mm512_maskz_permutex2var_epi16(kEven, _mm512_load_si512(table + 64), index, _mm512_load_si512(table + 96));
    return _mm512_mask_mov_epi32(low, upper, high);
}

inline I32 tail(I32 u) {
    const VectorTables& t = kVectorTables;
    const I32 index = _mm512_srli_epi32(u, 8), fraction = _mm512_and_si512(u, set(t.fraction));
    const Mask upper = _mm512_cmpgt_epi32_mask(index, set(t.middle));
    const I32 fall = _mm512_madd_epi16(look_up_words(t.delta, index, upper), fraction);
    const I32 scaled = _mm512_slli_epi32(look_up_words(t.tail, index, upper), 8);
    return _mm512_srlv_epi32(_mm512_sub_epi32(scaled, fall), look_up_words(t.shift, index, upper));
}

inline uint32_t reached(I32 bounds, uint64_t unit, uint64_t code) {
    const __m512i u = _mm512_set1_epi64(static_cast<int64_t>(unit)), c = _mm512_set1_epi64(static_cast<int64_t>(code));
    const __m512i low = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(bounds));
    const __m512i high = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(bounds, 1));
    const uint32_t a = _mm512_cmple_epu64_mask(_mm512_mul_epu32(low, u), c);
    const uint32_t b = _mm512_cmple_epu64_mask(_mm512_mul_epu32(high, u), c);
    return a | b << 8;
}

// Each builds on those before it.
// clang-format off
#include "kernels/block_loops.h"
#include "kernels/rows_avx2.h"
#include "kernels/row_blocks.h"
#include "kernels/vector.h"
// clang-format on

}  // namespace

const Kernels kAvx512Kernels = kTable;

}  // namespace nlvc

#endif
