// The primitives on rows and on bytes of row_blocks.h and vector.h for NEON, included inside an anonymous namespace.

struct Row {
    int16x8_t low, high;
};

template <int kWidth>
inline Row load_row(const uint16_t* p) {
    const int16x8_t zero = vdupq_n_s16(0);
    if constexpr (kWidth == 16)
        return {vreinterpretq_s16_u16(vld1q_u16(p)), vreinterpretq_s16_u16(vld1q_u16(p + 8))};
    else if constexpr (kWidth == 8)
        return {vreinterpretq_s16_u16(vld1q_u16(p)), zero};
    else
        return {vreinterpretq_s16_u16(vcombine_u16(vld1_u16(p), vdup_n_u16(0))), zero};
}
template <int kWidth>
inline void store_row(uint16_t* p, Row a) {
    const uint16x8_t low = vreinterpretq_u16_s16(a.low);
    if constexpr (kWidth == 4)
        vst1_u16(p, vget_low_u16(low));
    else
        vst1q_u16(p, low);
    if constexpr (kWidth == 16) vst1q_u16(p + 8, vreinterpretq_u16_s16(a.high));
}
inline Row row_set(int v) {
    const int16x8_t a = vdupq_n_s16(static_cast<int16_t>(v));
    return {a, a};
}
inline Row row_add(Row a, Row b) { return {vaddq_s16(a.low, b.low), vaddq_s16(a.high, b.high)}; }
inline Row row_sub(Row a, Row b) { return {vsubq_s16(a.low, b.low), vsubq_s16(a.high, b.high)}; }
inline Row row_mul(Row a, Row b) { return {vmulq_s16(a.low, b.low), vmulq_s16(a.high, b.high)}; }
inline Row row_and(Row a, Row b) { return {vandq_s16(a.low, b.low), vandq_s16(a.high, b.high)}; }
inline Row row_abs(Row a) { return {vabsq_s16(a.low), vabsq_s16(a.high)}; }
inline Row row_sra(Row a, int n) {
    const int16x8_t by = vdupq_n_s16(static_cast<int16_t>(-n));
    return {vshlq_s16(a.low, by), vshlq_s16(a.high, by)};
}
inline Row row_bytes(const int8_t* p) {
    const int8x16_t bytes = vld1q_s8(p);
    return {vmovl_s8(vget_low_s8(bytes)), vmovl_high_s8(bytes)};
}
inline Row row_words(I32 a) {
    return {vcombine_s16(vmovn_s32(a.quad[0]), vmovn_s32(a.quad[1])),
            vcombine_s16(vmovn_s32(a.quad[2]), vmovn_s32(a.quad[3]))};
}
inline Row row_keep(Mask m, Row a) { return row_and(a, row_words(m)); }
inline Row row_settle(Row a) { return {vrshrq_n_s16(a.low, 6), vrshrq_n_s16(a.high, 6)}; }
inline Row row_clip(Row a) {
    const int16x8_t zero = vdupq_n_s16(0), most = vdupq_n_s16(255);
    return {vminq_s16(vmaxq_s16(a.low, zero), most), vminq_s16(vmaxq_s16(a.high, zero), most)};
}
struct RowPair {
    Row first, second;
};
inline RowPair row_pair(Row a, Row b) { return {a, b}; }
inline Row row_settle2(const RowPair& ab, const RowPair& cd, const int* f) {
    auto four = [&](int16x4_t p, int16x4_t q, int16x4_t r, int16x4_t s) {
        int32x4_t sum = vmull_n_s16(p, static_cast<int16_t>(f[0]));
        sum = vmlal_n_s16(sum, q, static_cast<int16_t>(f[1]));
        sum = vmlal_n_s16(sum, r, static_cast<int16_t>(f[2]));
        sum = vmlal_n_s16(sum, s, static_cast<int16_t>(f[3]));
        return vqmovun_s32(vrshrq_n_s32(sum, 12));
    };
    auto half = [&](int16x8_t p, int16x8_t q, int16x8_t r, int16x8_t s) {
        const uint16x4_t low = four(vget_low_s16(p), vget_low_s16(q), vget_low_s16(r), vget_low_s16(s));
        const uint16x4_t high = four(vget_high_s16(p), vget_high_s16(q), vget_high_s16(r), vget_high_s16(s));
        return vreinterpretq_s16_u16(vcombine_u16(low, high));
    };
    return {half(ab.first.low, ab.second.low, cd.first.low, cd.second.low),
            half(ab.first.high, ab.second.high, cd.first.high, cd.second.high)};
}
struct TwoRows {
    uint8x16_t first, second;
};
struct Sums {
    uint16x8_t first, second;
};
inline TwoRows row_pack(Row a, Row b) {
    auto pack = [](Row r) { return vcombine_u8(vqmovun_s16(r.low), vqmovun_s16(r.high)); };
    return {pack(a), pack(b)};
}
inline Sums row_no_sums() { return {vdupq_n_u16(0), vdupq_n_u16(0)}; }
inline void row_add_differences(Sums& sums, TwoRows p, TwoRows q) {
    sums.first = vpadalq_u8(sums.first, vabdq_u8(p.first, q.first));
    sums.second = vpadalq_u8(sums.second, vabdq_u8(p.second, q.second));
}
inline int row_total(Sums sums) { return static_cast<int>(vaddlvq_u16(sums.first) + vaddlvq_u16(sums.second)); }

struct Bytes4 {
    int8x16_t row[4];
};
inline Bytes4 load_bytes4(const int8_t* a, const int8_t* b, const int8_t* c, const int8_t* d) {
    return {{vld1q_s8(a), vld1q_s8(b), vld1q_s8(c), vld1q_s8(d)}};
}
inline Bytes4 repeat_bytes(const int8_t* p) { return load_bytes4(p, p, p, p); }
template <class Function>
inline Bytes4 each_row(Function f) {
    return {{f(0), f(1), f(2), f(3)}};
}
using ByteMask = int8x16_t;
inline ByteMask byte_mask(Mask m) {
    int8_t bytes[kLanes];
    store_bytes(bytes, keep(m, set(-1)));
    return vld1q_s8(bytes);
}
inline ByteMask all_bytes(bool is) { return vdupq_n_s8(is ? -1 : 0); }
inline ByteMask both_bytes(ByteMask m, ByteMask n) { return vandq_s8(m, n); }
inline Bytes4 bytes_keep(const Bytes4& v, ByteMask a, ByteMask b, ByteMask c, ByteMask d) {
    return {{vandq_s8(v.row[0], a), vandq_s8(v.row[1], b), vandq_s8(v.row[2], c), vandq_s8(v.row[3], d)}};
}
inline Bytes4 bytes_or(const Bytes4& a, const Bytes4& b) {
    return each_row([&](int i) { return vorrq_s8(a.row[i], b.row[i]); });
}
inline Bytes4 bytes_sub(const Bytes4& a, const Bytes4& b) {
    return each_row([&](int i) { return vqsubq_s8(a.row[i], b.row[i]); });
}
inline Bytes4 bytes_abs(const Bytes4& a) {
    return each_row([&](int i) { return vqabsq_s8(a.row[i]); });
}
inline I32 turn_bytes(const Bytes4& a) {
    auto row = [&](int i) { return vmaxq_s8(a.row[i], vdupq_n_s8(-127)); };
    const int8x16_t w = row(0), x = row(1), y = row(2), z = row(3);
    auto join = [](int8x16_t p, int8x16_t q, bool second) {
        const int16x8_t first = vreinterpretq_s16_s8(p), other = vreinterpretq_s16_s8(q);
        return vreinterpretq_s32_s16(second ? vzip2q_s16(first, other) : vzip1q_s16(first, other));
    };
    const int8x16_t wx0 = vzip1q_s8(w, x), yz0 = vzip1q_s8(y, z), wx1 = vzip2q_s8(w, x), yz1 = vzip2q_s8(y, z);
    return {{join(wx0, yz0, false), join(wx0, yz0, true), join(wx1, yz1, false), join(wx1, yz1, true)}};
}
inline I32 taps4(Row a, Row b, Row c, Row d) {
    auto bytes = [](Row r) { return vcombine_s8(vqmovn_s16(r.low), vqmovn_s16(r.high)); };
    return turn_bytes({{bytes(a), bytes(b), bytes(c), bytes(d)}});
}
