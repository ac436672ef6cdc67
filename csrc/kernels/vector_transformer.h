// The transformer's dense layers and attention (docs/diffusion.md section 3), a part of vector.h.

inline const int32_t* words_at(const void* bytes) { return static_cast<const int32_t*>(bytes); }

/// kCount registers of outputs of one token.
template <int kCount>
inline void transformer_rows(const TransformerDense& d, const int32_t* x, const int32_t* bias, int first,
                             int32_t* out) {
    constexpr auto kAll = std::make_index_sequence<kCount>();
    I32 acc[kCount], total = set(0);
    unrolled(
        [&](size_t j) __attribute__((always_inline)) { acc[j] = load(bias + first + kLanes * j); }, kAll);
    const I32 hundreds = set(kSignBytes);  // 128 in each byte
    const int32_t* weights = words_at(d.weights) + first;
    for (int k = 0; k < d.words; ++k, weights += d.lanes) {
        dot4_wide(total, hundreds, x + k);
        unrolled(
            [&](size_t j) __attribute__((always_inline)) { dot4_wide(acc[j], load(weights + kLanes * j), x + k); },
            kAll);
    }
    unrolled(
        [&](size_t j) __attribute__((always_inline)) {
            const int at = first + kLanes * static_cast<int>(j);
            const I32 scaled = add(mul(sub(acc[j], total), load(d.multiplier + at)), load(d.half + at));
            store(out + at, sra_by(scaled, load(d.shift + at)));
        },
        kAll);
}

void transformer_dense(const TransformerDense& d, const int8_t* x, const int32_t* bias, int32_t* out) {
    int first = 0;
    for (; d.lanes - first >= 4 * kLanes; first += 4 * kLanes) transformer_rows<4>(d, words_at(x), bias, first, out);
    const int rest = (d.lanes - first) / kLanes;
    if (rest == 1) transformer_rows<1>(d, words_at(x), bias, first, out);
    if (rest == 2) transformer_rows<2>(d, words_at(x), bias, first, out);
    if (rest == 3) transformer_rows<3>(d, words_at(x), bias, first, out);
}

inline I32 weights_of(I32 below) {
    const I32 t = min(below, set(kSteps - 1));
    return srl_by(sll(sub(set(2 * kOctave), band(t, set(kOctave - 1))), 6), srl(t, 5));
}

struct LaneNumbers {
    int32_t at[kLanes];
    explicit LaneNumbers(I32 a) { store(at, a); }
    int32_t sum() const {
        int32_t total = 0;
        for (int32_t v : at) total += v;
        return total;
    }
    int32_t highest() const {
        int32_t found = at[0];
        for (int32_t v : at) found = most(found, v);
        return found;
    }
};

/// Weights are below 2^13: bytes of their upper and lower seven bits.
struct WeightBytes {
    alignas(64) int32_t high[kTokens / 4], low[kTokens / 4];
};

/// Sums of weights times values + 128, for 32 dimensions or 16.
template <int kCount>
inline void mix_values(const WeightBytes& weights, int fours_seen, const int32_t* values, int lanes, int32_t offset,
                       int32_t* sums) {
    constexpr auto kAll = std::make_index_sequence<kCount>();
    I32 high[kCount], low[kCount];
    unrolled(
        [&](size_t j) __attribute__((always_inline)) { high[j] = low[j] = set(0); }, kAll);
    for (int f = 0; f < fours_seen; ++f, values += lanes)
        unrolled(
            [&](size_t j) __attribute__((always_inline)) {
                const I32 four = load(values + kLanes * j);
                dot4_wide(high[j], four, weights.high + f);
                dot4_wide(low[j], four, weights.low + f);
            },
            kAll);
    unrolled(
        [&](size_t j) __attribute__((always_inline)) {
            store(sums + kLanes * j, sub(add(sll(high[j], 7), low[j]), set(offset)));
        },
        kAll);
}

int32_t attend(const AttentionKeys& k, const int8_t* query, int rank, const int32_t* distance, int32_t* sums) {
    const int seen = tokens_seen(rank), blocks = (seen + kLanes - 1) / kLanes;
    alignas(64) int32_t scores[kTokens];
    I32 start = set(0);
    for (int w = 0; w < k.key_words; ++w) dot4_wide(start, set(kSignBytes), words_at(query) + w);
    start = sub(set(0), start);
    I32 most_lanes = set(0);
    const I32 falloff = set(k.falloff);
    const int32_t* keys = words_at(k.keys);
    for (int b = 0; b < blocks; ++b) {
        I32 product = start;
        for (int w = 0; w < k.key_words; ++w, keys += kLanes) dot4_wide(product, load(keys), words_at(query) + w);
        I32 score = sub(sra(product, 5), sra(mul(falloff, load(distance + kLanes * b)), 11));
        if (k.penalty != nullptr) score = sub(score, load(k.penalty + kLanes * b));
        if (b == blocks - 1) score = blend(less(load(kLaneNumbers), set(seen - kLanes * b)), set(kHidden), score);
        most_lanes = max(most_lanes, score);
        store(scores + kLanes * b, score);
    }
    const int32_t highest = LaneNumbers(most_lanes).highest(), sinks = sinks_seen(rank);
    const int32_t sink = attention_weight(highest);
    I32 total = set(0);
    for (int b = 0; b < blocks; ++b) {
        const I32 weight = weights_of(sub(set(highest), load(scores + kLanes * b)));
        total = add(total, weight);
        store(scores + kLanes * b, weight);
    }
    const int shift = sum_shift(LaneNumbers(total).sum() + sinks * sink);
    WeightBytes bytes;
    total = set(0);
    for (int b = 0; b < blocks; ++b) {
        const I32 weight = sra(load(scores + kLanes * b), shift);
        total = add(total, weight);
        store_bytes(reinterpret_cast<int8_t*>(bytes.high + 4 * b), srl(weight, 7));
        store_bytes(reinterpret_cast<int8_t*>(bytes.low + 4 * b), band(weight, set(127)));
    }
    const int32_t sum = LaneNumbers(total).sum();
    const int32_t* values = words_at(k.values);
    int first = 0;
    for (; k.value_lanes - first >= 2 * kLanes; first += 2 * kLanes)
        mix_values<2>(bytes, fours(seen), values + first, k.value_lanes, 128 * sum, sums + first);
    if (first < k.value_lanes)
        mix_values<1>(bytes, fours(seen), values + first, k.value_lanes, 128 * sum, sums + first);
    return sum + sinks * (sink >> shift);
}
