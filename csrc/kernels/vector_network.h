// The network over sixteen samples (docs/bitstream.md section 5), a part of vector.h.

/// The constants of a layer's outputs, and its weights: for each word of inputs `rows` words, one for each output.
struct Rows {
    Words bias, multiplier, shift, half, weights;
    int rows;

    Rows from(int first, Words their_weights, int their_rows) const {
        return {bias + first, multiplier + first, shift + first, half + first, their_weights, their_rows};
    }
};

/// f(0) .. f(kCount - 1), unrolled before anything else happens to them: an array that is indexed so becomes registers
/// even where the loop around it does other things too.
template <class Function, size_t... kIndex>
__attribute__((always_inline)) inline void unrolled(Function f, std::index_sequence<kIndex...>) {
    (f(kIndex), ...);
}

/// Calls emit(word, four) for each four of kCount outputs: (multiplier * accumulator + half) >> shift; beside() between
/// the words and beside.settle() at the end.
template <int kCount, class Beside, class Emit>
inline void dense_rows(const Rows& r, const I32* x, int words, int word, Beside& beside, Emit emit) {
    constexpr auto kAll = std::make_index_sequence<kCount>();
    I32 acc[kCount];
    unrolled(
        [&](size_t j) __attribute__((always_inline)) { acc[j] = set(r.bias[j]); }, kAll);
    Words weights = r.weights;
    for (int k = 0; k < words; ++k, weights += r.rows) {
        const I32 in = x[k];
        unrolled(
            [&](size_t j) __attribute__((always_inline)) { dot4(acc[j], in, weights + j); }, kAll);
        beside();
    }
    unrolled(
        [&](size_t i) __attribute__((always_inline)) {
            auto scaled = [&](size_t j) __attribute__((always_inline)) {
                return sra_by(add(mul(acc[j], set(r.multiplier[j])), set(r.half[j])), set(r.shift[j]));
            };
            const I32 four[4] = {scaled(4 * i), scaled(4 * i + 1), scaled(4 * i + 2), scaled(4 * i + 3)};
            emit(word + static_cast<int>(i), four);
        },
        std::make_index_sequence<kCount / 4>());
    beside.settle();
}

/// One dense layer; its outputs are padded to a multiple of 4. Returns the words after the layer's.
template <class Beside, class Emit>
inline Words dense(const Layer& layer, Words packed, const I32* x, int words, Beside& beside, Emit emit) {
    const int padded = 4 * fours(layer.outputs);
    const Rows all{packed, packed + padded, packed + 2 * padded, packed + 3 * padded, nullptr, 0};
    Words weights = packed + 4 * padded;
    int first = 0;
    for (; first + kRows <= padded; first += kRows, weights += words * kRows)
        dense_rows<kRows>(all.from(first, weights, kRows), x, words, first / 4, beside, emit);
    const int rest = padded - first;
    const Rows last = all.from(first, weights, rest);
    if (rest == 4) dense_rows<4>(last, x, words, first / 4, beside, emit);
    if (rest == 8) dense_rows<8>(last, x, words, first / 4, beside, emit);
    if (rest == 12) dense_rows<12>(last, x, words, first / 4, beside, emit);
    return weights + words * rest;
}

/// Writes activations in words of four.
struct Activations {
    I32* out;

    void operator()(int word, const I32* four) const { out[word] = bytes4(four[0], four[1], four[2], four[3]); }
};

/// high * 256 + low of the linear part
inline I32 linear_sum(Words& packed, const I32* x, int words) {
    I32 high = set(packed[0]), low = set(packed[1]);
    packed += 2;
    for (int k = 0; k < words; ++k, packed += 2) {
        dot4_wide(high, x[k], packed);
        dot4_wide(low, x[k], packed + 1);
    }
    return add(sll(high, 8), low);
}

template <class T>
inline I32 load_word(const Words4<T>& word) {
    return load(reinterpret_cast<const int32_t*>(word));
}

/// Signed values with 128 added
inline void load_signed(const Words4<int8_t>* values, int words, I32* x) {
    for (int k = 0; k < words; ++k) x[k] = bxor(load_word(values[k]), set(kSignBytes));
}

/// Both stages; a class, so that no other kernels of the file are found by the type of `beside`.
struct Stages {
    template <class Beside>
    static void first(const CompiledNetwork& n, BatchValues& batch, Beside& beside) {
        I32 x[kMaxWords], h1[kMaxWords], h2[kMaxWords];
        const int words = fours(n.layer1.inputs);
        load_signed(batch.taps, words, x);
        Words packed = n.packed.data();
        I32 linear = linear_sum(packed, x, words);
        packed = dense(n.layer1, packed, x, words, beside, Activations{h1});
        packed = dense(n.layer2, packed, h1, fours(n.layer1.outputs), beside, Activations{h2});
        linear = add(linear, linear_sum(packed, h2, fours(n.layer2.outputs)));
        store(batch.linear, linear);
        for (int k = 0; k < fours(n.layer2.outputs); ++k) store(reinterpret_cast<int32_t*>(batch.hidden[k]), h2[k]);
    }

    template <class Beside>
    static void second(const CompiledNetwork& n, BatchValues& batch, Beside& beside) {
        I32 x[2 * kMaxWords], g1[kMaxWords], g2[kMaxWords];
        const int hidden = fours(n.layer2.outputs), errors = n.layer3.inputs - n.layer2.outputs;
        for (int k = 0; k < hidden; ++k) x[k] = load_word(batch.hidden[k]);
        load_signed(batch.errors, fours(errors), x + hidden);
        Words packed = n.packed.data() + n.stage2_at;
        packed = dense(n.layer3, packed, x, hidden + fours(errors), beside, Activations{g1});
        packed = dense(n.layer4, packed, g1, fours(n.layer4.inputs), beside, Activations{g2});
        for (int k = 0; k < fours(n.layer4.outputs); ++k) g2[k] = adds_u8(g2[k], g1[k]);
        dense(n.output, packed, g2, fours(n.output.inputs), beside, [&](int word, const I32* four) {
            for (int i = 0; i < 4 && 4 * word + i < kOutputs; ++i) store(batch.outputs[4 * word + i], four[i]);
        });
    }
};

void stage1(const CompiledNetwork& n, BatchValues& batch, PendingSamples* pending) {
    Nothing nothing;
    if (pending == nullptr) return Stages::first(n, batch, nothing);
    Beside beside(*pending, n.steps);
    Stages::first(n, batch, beside);
}

void stage2(const CompiledNetwork& n, BatchValues& batch, PendingSamples* pending) {
    Nothing nothing;
    if (pending == nullptr) return Stages::second(n, batch, nothing);
    Beside beside(*pending, n.steps);
    Stages::second(n, batch, beside);
}
