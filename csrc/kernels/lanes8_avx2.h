// The primitives of vector_network.h and vector_bytes.h on eight lanes for AVX2 and more, but for dot products;
// included inside a namespace of its own (see vector_half.h).

using I32 = __m256i;
using Mask = __m256i;  // all ones or zero in each lane

inline I32 set(int32_t v) { return _mm256_set1_epi32(v); }
inline I32 load(const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline void store(int32_t* p, I32 a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a); }
inline I32 add(I32 a, I32 b) { return _mm256_add_epi32(a, b); }
inline I32 sub(I32 a, I32 b) { return _mm256_sub_epi32(a, b); }
inline I32 mul(I32 a, I32 b) { return _mm256_mullo_epi32(a, b); }
inline I32 bxor(I32 a, I32 b) { return _mm256_xor_si256(a, b); }
inline I32 sll(I32 a, int n) { return _mm256_sll_epi32(a, _mm_cvtsi32_si128(n)); }
inline I32 sra_by(I32 a, I32 b) { return _mm256_srav_epi32(a, b); }
inline Mask less(I32 a, I32 b) { return _mm256_cmpgt_epi32(b, a); }
inline Mask both(Mask m, Mask n) { return _mm256_and_si256(m, n); }
inline I32 adds_u8(I32 a, I32 b) { return _mm256_adds_epu8(a, b); }
inline I32 bytes4(I32 a, I32 b, I32 c, I32 d) {
    const I32 rows = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    const __m128i turn = _mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    return _mm256_shuffle_epi8(rows, _mm256_broadcastsi128_si256(turn));
}

using Bytes4 = __m256i;    // rows of eight bytes one after the other
using ByteMask = __m128i;  // its lower half

inline __m128i load8(const int8_t* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); }
inline Bytes4 four_rows(__m128i a, __m128i b, __m128i c, __m128i d) {
    return _mm256_set_m128i(_mm_unpacklo_epi64(c, d), _mm_unpacklo_epi64(a, b));
}
inline Bytes4 load_bytes4(const int8_t* a, const int8_t* b, const int8_t* c, const int8_t* d) {
    return four_rows(load8(a), load8(b), load8(c), load8(d));
}
inline Bytes4 repeat_bytes(const int8_t* p) { return _mm256_broadcastq_epi64(load8(p)); }
inline Bytes4 bytes_or(Bytes4 a, Bytes4 b) { return _mm256_or_si256(a, b); }
inline Bytes4 bytes_sub(Bytes4 a, Bytes4 b) { return _mm256_subs_epi8(a, b); }
inline Bytes4 bytes_abs(Bytes4 a) { return _mm256_abs_epi8(_mm256_max_epi8(a, _mm256_set1_epi8(-127))); }
inline ByteMask byte_mask(Mask m) {
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1));
    return _mm_packs_epi16(words, words);
}
inline ByteMask all_bytes(bool is) { return _mm_set1_epi8(is ? -1 : 0); }
inline ByteMask both_bytes(ByteMask m, ByteMask n) { return _mm_and_si128(m, n); }
inline Bytes4 bytes_keep(Bytes4 v, ByteMask a, ByteMask b, ByteMask c, ByteMask d) {
    return _mm256_and_si256(v, four_rows(a, b, c, d));
}
inline I32 turn_bytes(Bytes4 v) {
    const __m128i pairs = _mm_set_epi8(15, 7, 14, 6, 13, 5, 12, 4, 11, 3, 10, 2, 9, 1, 8, 0);
    const __m128i fours = _mm_set_epi8(15, 14, 7, 6, 13, 12, 5, 4, 11, 10, 3, 2, 9, 8, 1, 0);
    const I32 two = _mm256_shuffle_epi8(v, _mm256_broadcastsi128_si256(pairs));  // of a and b, of c and d
    const I32 four = _mm256_shuffle_epi8(_mm256_permute4x64_epi64(two, 0xd8), _mm256_broadcastsi128_si256(fours));
    return _mm256_max_epi8(four, _mm256_set1_epi8(-127));
}
