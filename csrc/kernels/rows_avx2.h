// The primitives on rows of row_blocks.h and vector.h for AVX2, included by files for AVX2 and more inside their
// anonymous namespace.

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
inline Row row_sub(Row a, Row b) { return _mm256_sub_epi16(a, b); }
inline Row row_and(Row a, Row b) { return _mm256_and_si256(a, b); }
inline Row row_abs(Row a) { return _mm256_abs_epi16(a); }
inline Row row_sra(Row a, int n) { return _mm256_sra_epi16(a, _mm_cvtsi32_si128(n)); }
inline Row row_bytes(const int8_t* p) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline Row row_mul(Row a, Row b) { return _mm256_mullo_epi16(a, b); }
inline Row row_settle(Row a) { return _mm256_srai_epi16(_mm256_add_epi16(a, _mm256_set1_epi16(32)), 6); }
inline Row row_clip(Row a) { return _mm256_min_epi16(_mm256_max_epi16(a, _mm256_setzero_si256()), row_set(255)); }
struct RowPair {
    __m256i low, high;  ///< of both rows in turn
};
inline RowPair row_pair(Row a, Row b) { return {_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)}; }
inline Row row_settle2(RowPair first, RowPair second, const int* f) {
    const Row ab = _mm256_set1_epi32((f[0] & 0xffff) | static_cast<int>(static_cast<unsigned>(f[1]) << 16));
    const Row cd = _mm256_set1_epi32((f[2] & 0xffff) | static_cast<int>(static_cast<unsigned>(f[3]) << 16));
    const Row round = _mm256_set1_epi32(2048);
    auto half = [&](Row p, Row q) {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
        return _mm256_srai_epi32(_mm256_dpwssd_epi32(_mm256_dpwssd_epi32(round, p, ab), q, cd), 12);
#else
        const Row sum = _mm256_add_epi32(_mm256_madd_epi16(p, ab), _mm256_madd_epi16(q, cd));
        return _mm256_srai_epi32(_mm256_add_epi32(sum, round), 12);
#endif
    };
    return _mm256_packus_epi32(half(first.low, second.low), half(first.high, second.high));
}
using TwoRows = __m256i;
using Sums = __m256i;
inline TwoRows row_pack(Row a, Row b) { return _mm256_packus_epi16(a, b); }
inline Sums row_no_sums() { return _mm256_setzero_si256(); }
inline void row_add_differences(Sums& sums, TwoRows p, TwoRows q) {
    sums = _mm256_add_epi64(sums, _mm256_sad_epu8(p, q));
}
inline int row_total(Sums sums) {
    const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    return _mm_cvtsi128_si32(_mm_add_epi64(two, _mm_srli_si128(two, 8)));
}

/// taps4 with lanes 0..3 and 8..11 in `even`, 4..7 and 12..15 in `odd`, not clipped from below.
inline void interleave4(Row a, Row b, Row c, Row d, __m256i& even, __m256i& odd) {
    const __m256i ac = _mm256_packs_epi16(a, c), bd = _mm256_packs_epi16(b, d);
    const __m256i ab = _mm256_unpacklo_epi8(ac, bd), cd = _mm256_unpackhi_epi8(ac, bd);
    even = _mm256_unpacklo_epi16(ab, cd);
    odd = _mm256_unpackhi_epi16(ab, cd);
}

/// to[l][j] = columns[j] in lane l, eight of eight lanes
inline void turn8(const __m256i* columns, uint32_t (*to)[kFirstWindow]) {
    __m256i four[2][4];  // [j / 4][i]: columns 4 * (j / 4) .. + 3 of lanes i and 4 + i
    for (int h = 0; h < 2; ++h) {
        const __m256i* c = columns + 4 * h;
        const __m256i ab0 = _mm256_unpacklo_epi32(c[0], c[1]), ab2 = _mm256_unpackhi_epi32(c[0], c[1]);
        const __m256i cd0 = _mm256_unpacklo_epi32(c[2], c[3]), cd2 = _mm256_unpackhi_epi32(c[2], c[3]);
        four[h][0] = _mm256_unpacklo_epi64(ab0, cd0);
        four[h][1] = _mm256_unpackhi_epi64(ab0, cd0);
        four[h][2] = _mm256_unpacklo_epi64(ab2, cd2);
        four[h][3] = _mm256_unpackhi_epi64(ab2, cd2);
    }
    auto put = [&](int lane, __m256i row) { _mm256_store_si256(reinterpret_cast<__m256i*>(to[lane]), row); };
    for (int i = 0; i < 4; ++i) {
        put(i, _mm256_permute2x128_si256(four[0][i], four[1][i], 0x20));
        put(4 + i, _mm256_permute2x128_si256(four[0][i], four[1][i], 0x31));
    }
}
