// Turns 8x8 values, with the instructions that every processor of a family has.
#pragma once
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace nlvc {

inline int8_t less_128(uint16_t sample) { return static_cast<int8_t>(static_cast<int>(sample) - 128); }

/// A value as the skewed layout holds it: as it is, or a sample below 256 less 128.
template <class T>
inline void convert(T from, T& to) {
    to = from;
}
inline void convert(uint16_t from, int8_t& to) { to = less_128(from); }

/// out[j][i] = in[i][j] for i, j in 0..7; no pointer needs alignment.
#if defined(__SSE2__)
inline void transpose8(const uint16_t* const* in, uint16_t* const* out) {
    __m128i a[8], b[8];
    for (int i = 0; i < 8; ++i) a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in[i]));
    for (int i = 0; i < 4; ++i) {
        b[2 * i] = _mm_unpacklo_epi16(a[i], a[i + 4]);
        b[2 * i + 1] = _mm_unpackhi_epi16(a[i], a[i + 4]);
    }
    for (int i = 0; i < 4; ++i) {
        a[2 * i] = _mm_unpacklo_epi16(b[i], b[i + 4]);
        a[2 * i + 1] = _mm_unpackhi_epi16(b[i], b[i + 4]);
    }
    for (int i = 0; i < 4; ++i) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out[2 * i]), _mm_unpacklo_epi16(a[i], a[i + 4]));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out[2 * i + 1]), _mm_unpackhi_epi16(a[i], a[i + 4]));
    }
}

/// The rest for bytes, b[i] being the values of rows i and i + 4, which alternate.
inline void transpose_pairs(const __m128i* b, int8_t* const* out) {
    const __m128i even_low = _mm_unpacklo_epi8(b[0], b[2]), even_high = _mm_unpackhi_epi8(b[0], b[2]);
    const __m128i odd_low = _mm_unpacklo_epi8(b[1], b[3]), odd_high = _mm_unpackhi_epi8(b[1], b[3]);
    const __m128i c[4] = {_mm_unpacklo_epi8(even_low, odd_low), _mm_unpackhi_epi8(even_low, odd_low),
                          _mm_unpacklo_epi8(even_high, odd_high), _mm_unpackhi_epi8(even_high, odd_high)};
    for (int i = 0; i < 4; ++i) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out[2 * i]), c[i]);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out[2 * i + 1]), _mm_unpackhi_epi64(c[i], c[i]));
    }
}

inline void transpose8(const int8_t* const* in, int8_t* const* out) {
    __m128i a[8], b[4];
    for (int i = 0; i < 8; ++i) a[i] = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(in[i]));
    for (int i = 0; i < 4; ++i) b[i] = _mm_unpacklo_epi8(a[i], a[i + 4]);
    transpose_pairs(b, out);
}

/// The same of values below 256, less 128.
inline void transpose8(const uint16_t* const* in, int8_t* const* out) {
    __m128i a[8], b[4];
    for (int i = 0; i < 8; ++i) a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in[i]));
    for (int i = 0; i < 4; ++i)
        b[i] = _mm_xor_si128(_mm_or_si128(a[i], _mm_slli_epi16(a[i + 4], 8)), _mm_set1_epi8(-128));
    transpose_pairs(b, out);
}
#elif defined(__ARM_NEON)
inline void transpose8(const uint16_t* const* in, uint16_t* const* out) {
    uint16x8_t a[8];
    for (int i = 0; i < 8; ++i) a[i] = vld1q_u16(in[i]);
    for (int round = 0; round < 3; ++round) {
        uint16x8_t b[8];
        for (int i = 0; i < 4; ++i) {
            const uint16x8x2_t pair = vzipq_u16(a[i], a[i + 4]);
            b[2 * i] = pair.val[0];
            b[2 * i + 1] = pair.val[1];
        }
        for (int i = 0; i < 8; ++i) a[i] = b[i];
    }
    for (int i = 0; i < 8; ++i) vst1q_u16(out[i], a[i]);
}

/// The rest for bytes, a[i] being row i.
inline void transpose_bytes(int8x8_t* a, int8_t* const* out) {
    for (int round = 0; round < 3; ++round) {
        int8x8_t b[8];
        for (int i = 0; i < 4; ++i) {
            const int8x8x2_t pair = vzip_s8(a[i], a[i + 4]);
            b[2 * i] = pair.val[0];
            b[2 * i + 1] = pair.val[1];
        }
        for (int i = 0; i < 8; ++i) a[i] = b[i];
    }
    for (int i = 0; i < 8; ++i) vst1_s8(out[i], a[i]);
}

inline void transpose8(const int8_t* const* in, int8_t* const* out) {
    int8x8_t a[8];
    for (int i = 0; i < 8; ++i) a[i] = vld1_s8(in[i]);
    transpose_bytes(a, out);
}

/// The same of values below 256, less 128.
inline void transpose8(const uint16_t* const* in, int8_t* const* out) {
    int8x8_t a[8];
    for (int i = 0; i < 8; ++i) a[i] = vreinterpret_s8_u8(veor_u8(vmovn_u16(vld1q_u16(in[i])), vdup_n_u8(128)));
    transpose_bytes(a, out);
}
#else
template <class T, class U>
inline void transpose8(const T* const* in, U* const* out) {
    for (int j = 0; j < 8; ++j)
        for (int i = 0; i < 8; ++i) convert(in[i][j], out[j][i]);
}
#endif

}  // namespace nlvc
