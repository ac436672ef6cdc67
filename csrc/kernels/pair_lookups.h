// Look-ups of section 6 where a table of 32-bit words is read one lane at a time, included after `look_up` inside an
// anonymous namespace.

inline I32 exp_of(I32 index) { return look_up(kVectorTables.exp, index); }
struct Scales {
    I32 scale, inverse;
};
inline Scales scales_of(I32 index) {
    const I32 pair = look_up(kVectorTables.scale_inverse, index);
    return {band(pair, set(0xffff)), srl(pair, 16)};
}

/// @param fall  gives DELTA times the fraction of u
template <class Fall>
inline I32 tail_with(I32 any, Fall fall) {
    const I32 u = min(any, set(kVectorTables.last));
    const I32 segment = look_up(kVectorTables.segment, srl(u, 8)), delta = band(srl(segment, 15), set(4095));
    const I32 top = sll(add(band(segment, set(32767)), set(1)), 8);
    return srl_by(sub(top, fall(delta, band(u, set(255)))), srl(segment, 27));
}
