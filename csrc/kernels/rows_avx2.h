// The primitives of row_blocks.h for AVX2, included by files for AVX2 and more inside their anonymous namespace.

using Row = __m256i;

template <int kWidth>
inline Row load_row(const uint16_t* p) {
    if constexpr (kWidth == 16)
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    else if constexpr (kWidth == 8)
        return _mm256_zextsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    else
        return _mm256_zextsi128_si256(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
template <int kWidth>
inline void store_row(uint16_t* p, Row a) {
    if constexpr (kWidth == 16)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a);
    else if constexpr (kWidth == 8)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(a));
    else
        _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(a));
}
inline Row row_set(int v) { return _mm256_set1_epi16(static_cast<int16_t>(v)); }
inline Row row_add(Row a, Row b) { return _mm256_add_epi16(a, b); }
inline Row row_mul(Row a, Row b) { return _mm256_mullo_epi16(a, b); }
inline Row row_settle(Row a, int maximum) {
    const Row v = _mm256_srai_epi16(_mm256_add_epi16(a, _mm256_set1_epi16(32)), 6);
    return _mm256_min_epi16(_mm256_max_epi16(v, _mm256_setzero_si256()), row_set(maximum));
}
inline Row row_settle2(Row a, Row b, Row c, Row d, const int* f, int maximum) {
    const Row ab = _mm256_set1_epi32((f[0] & 0xffff) | static_cast<int>(static_cast<unsigned>(f[1]) << 16));
    const Row cd = _mm256_set1_epi32((f[2] & 0xffff) | static_cast<int>(static_cast<unsigned>(f[3]) << 16));
    auto half = [&](Row first, Row second) {
        const Row sum = _mm256_add_epi32(_mm256_madd_epi16(first, ab), _mm256_madd_epi16(second, cd));
        return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(2048)), 12);
    };
    const Row low = half(_mm256_unpacklo_epi16(a, b), _mm256_unpacklo_epi16(c, d));
    const Row high = half(_mm256_unpackhi_epi16(a, b), _mm256_unpackhi_epi16(c, d));
    return _mm256_min_epi16(_mm256_packus_epi32(low, high), row_set(maximum));
}
