// The transformer's loops in plain C++ (docs/diffusion.md section 3), included by a file for one instruction set inside
// its anonymous namespace.

void transformer_dense(const TransformerDense& d, const int8_t* x, const int32_t* bias, int32_t* out) {
    int32_t total = 0;
    for (int i = 0; i < 4 * d.words; ++i) total += x[i];
    for (int j = 0; j < d.lanes; ++j) out[j] = bias[j] - 128 * total;
    for (int i = 0; i < 4 * d.words; ++i)
        for (int j = 0; j < d.lanes; ++j) out[j] += x[i] * d.weights[(i / 4 * d.lanes + j) * 4 + i % 4];
    for (int j = 0; j < d.lanes; ++j) out[j] = (out[j] * d.multiplier[j] + d.half[j]) >> d.shift[j];
}

int32_t attend(const AttentionKeys& k, const int8_t* query, int rank, const int32_t* distance, int32_t* sums) {
    const int seen = tokens_seen(rank);
    int32_t scores[kTokens], highest = 0, total = 0, offset = 0;
    for (int e = 0; e < 4 * k.key_words; ++e) offset += 128 * query[e];
    for (int j = 0; j < seen; ++j) {
        int32_t product = -offset;
        for (int e = 0; e < 4 * k.key_words; ++e)
            product += query[e] * k.keys[((j / kLanes * k.key_words + e / 4) * kLanes + j % kLanes) * 4 + e % 4];
        scores[j] = (product >> 5) - (k.falloff * distance[j] >> 11) - (k.penalty == nullptr ? 0 : k.penalty[j]);
        highest = std::max(highest, scores[j]);
    }
    const int32_t sinks = sinks_seen(rank), sink = attention_weight(highest);
    for (int j = 0; j < seen; ++j) total += scores[j] = attention_weight(highest - scores[j]);
    const int shift = sum_shift(total + sinks * sink);
    std::fill_n(sums, k.value_lanes, 0);
    total = 0;
    for (int j = 0; j < seen; ++j) {
        const int32_t weight = scores[j] >> shift;
        total += weight;
        const uint8_t* value = k.values + static_cast<size_t>(j / 4) * k.value_lanes * 4 + j % 4;
        for (int i = 0; i < k.value_lanes; ++i) sums[i] += weight * (value[4 * i] - 128);
    }
    return total + sinks * (sink >> shift);
}
