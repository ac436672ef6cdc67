// Distributions and the bounds that a search begins with (docs/bitstream.md section 6), a part of vector.h.

/// For work that has nothing to be done beside it; see Beside in vector_search.h.
struct Nothing {
    void operator()() const {}
    void settle() const {}
};

/// The mixture; beside() between its components.
template <class Beside>
inline void mixture_of(const int32_t (*outputs)[kLanes], const int32_t* mean, int q, MixtureBatch& m, Beside& beside) {
    I32 logit[kLogistics], e[kLogistics];
    for (int k = 0; k < kLogistics; ++k) logit[k] = load(outputs[k]);
    const I32 top = max(max(logit[0], logit[1]), logit[2]);
    for (int k = 0; k < kLogistics; ++k) e[k] = exp_of(min(set(255), sub(top, logit[k])));
    const I32 sum = add(add(e[0], e[1]), e[2]);
    I32 weight[kLogistics];
    weight[1] = quotient(sll(e[1], 10), sum);
    weight[2] = quotient(sll(e[2], 10), sum);
    weight[0] = sub(set(1024), add(weight[1], weight[2]));
    I32 heaviest = set(-1), start = set(0), step = set(0);
    for (int k = 0; k < kLogistics; ++k) {
        const I32 offset = max(min(load(outputs[3 + k]), set(255)), set(-255));
        const I32 index = add(max(min(load(outputs[6 + k]), set(127)), set(-128)), set(128));
        const auto [scale, inverse] = scales_of(index);
        const I32 centre = add(load(mean), sll(sra(mul(offset, scale), 6), q));
        store(m.weight[k], weight[k]);
        store(m.centre[k], centre);
        store(m.inverse[k], inverse);
        const Mask heavier = less(heaviest, weight[k]);
        heaviest = max(heaviest, weight[k]);
        start = blend(heavier, start, sra(add(centre, set(16)), 5));
        step = blend(heavier, step, sll(add(sra(scale, 6), set(1)), q));
        beside();
    }
    store(m.start, start);
    store(m.step, step);
}

void mixture(const int32_t (*outputs)[kLanes], const int32_t* mean, int q, MixtureBatch& m) {
    Nothing nothing;
    mixture_of(outputs, mean, q, m, nothing);
}

/// The parameters of sixteen distributions, or of one in every lane.
struct Logistics {
    I32 weight[kLogistics], centre[kLogistics], inverse[kLogistics];
};

/// u of section 6 for the component whose distance to a bound is d, not yet limited by its largest value.
inline I32 tail_place(I32 d, I32 inverse, int q) {
    I32 distance = absolute(d);
    if (q != 0) distance = srl(distance, q);
    return srl(mul(min(distance, set(kVectorTables.farthest)), inverse), 5);
}

/// What a component adds to F.
inline I32 share(I32 weight, I32 d, I32 t) {
    return mul(weight, blend(less(d, set(0)), sub(set(kVectorTables.whole), t), t));
}

/// C(v) from F.
inline I32 bound_of(I32 sum, I32 v, int depth, int32_t beyond) {
    const I32 p = srl(sum, 7);
    const I32 inner = add(sub(p, srl(p, kProbabilityBits - depth)), v);
    return blend(less(set((1 << depth) - 1), v), keep(less(set(0), v), inner), set(beyond));
}

inline I32 low_end(I32 v) { return sub(sll(v, 5), set(16)); }

/// C(v) of section 6; `beyond` for v > maximum.
inline I32 bounds(const Logistics& m, I32 v, int depth, int q, int32_t beyond) {
    I32 sum = set(0);
    const I32 end = low_end(v);
    for (int k = 0; k < kLogistics; ++k) {
        const I32 d = sub(end, m.centre[k]);
        sum = add(sum, share(m.weight[k], d, tail(tail_place(d, m.inverse[k], q))));
    }
    return bound_of(sum, v, depth, beyond);
}

/// The same for v and w; beside() between the components.
template <class Beside>
inline Two bounds_of_two(const Logistics& m, I32 v, I32 w, int depth, int q, int32_t beyond, Beside& beside) {
    I32 sum_v = set(0), sum_w = set(0);
    const I32 end_v = low_end(v), end_w = low_end(w);
    for (int k = 0; k < kLogistics; ++k) {
        const I32 d = sub(end_v, m.centre[k]), e = sub(end_w, m.centre[k]);
        const Two t = tails(tail_place(d, m.inverse[k], q), tail_place(e, m.inverse[k], q));
        sum_v = add(sum_v, share(m.weight[k], d, t.first));
        sum_w = add(sum_w, share(m.weight[k], e, t.second));
        beside();
    }
    return {bound_of(sum_v, v, depth, beyond), bound_of(sum_w, w, depth, beyond)};
}

inline Logistics distributions(const MixtureBatch& m) {
    Logistics all;
    for (int k = 0; k < kLogistics; ++k) {
        all.weight[k] = load(m.weight[k]);
        all.centre[k] = load(m.centre[k]);
        all.inverse[k] = load(m.inverse[k]);
    }
    return all;
}

void sample_bounds(const MixtureBatch& m, const uint16_t* samples, int depth, int q, uint32_t* low, uint32_t* high) {
    const Logistics all = distributions(m);
    const I32 v = load_u16(samples);
    Nothing nothing;
    const Two c = bounds_of_two(all, v, add(v, set(1)), depth, q, kProbabilityOne, nothing);
    store(reinterpret_cast<int32_t*>(low), c.first);
    store(reinterpret_cast<int32_t*>(high), c.second);
}

// code < unit * 2^24 + 2^24 and unit >= 2^8, so this bound lies beyond any code.
constexpr int32_t kNeverReached = 2 * kProbabilityOne;
