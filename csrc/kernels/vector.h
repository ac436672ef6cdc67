// The kernels for vector instruction sets, written once over a set of primitives.
//
// The including file defines, in its own anonymous namespace, the primitives on sixteen lanes of 32 bits (`I32`; its
// bytes are also read as four 8-bit values a lane) and then includes this file, which is compiled with that file's
// flags only:
//
// clang-format off
//     kRows                              outputs of a dense layer that are accumulated side by side, a multiple of 4
//     set(v) load(p) store(p, a)         int32_t, p needs no alignment
//     load_u16(p)                        sixteen uint16_t, widened
//     load_u8(p)                         sixteen bytes, widened
//     add sub mul min max band bor bxor  lane by lane; mul keeps the low 32 bits
//     sll srl sra (a, n)                 shifts by one number, srl_by sra_by (a, b) by one for each lane
//     absolute(a)                        |a|
//     less(a, b)                         a `Mask` of the lanes where a < b (signed)
//     both(m, n) keep(m, a)              masks: m and n; a where m is set, else 0
//     blend(m, a, b)                     b where m is set, else a
//     adds_u8(a, b)                      saturating addition of bytes
//     dot4(acc, x, w)                    acc += 4 unsigned bytes of x times 4 signed bytes of the word *w, |w| <= 64
//     dot4_wide(acc, x, w)               the same for any signed bytes
//     dot4_each(acc, x, w)               the same with the word of w's lane
//     pick(table, index)                 int32_t table[index], index 0 .. 7
//     bytes4(a, b, c, d)                 clip(a, 0, 255) | clip(b, 0, 255) << 8 | ... of c << 16 | ... of d << 24
//     quotient(a, b)                     floor(a / b) of non-negative integers below 2^24
//     look_up(table, index)              int32_t table[index]
//     tail(u)                            t_k of section 6 for u in [0, 32767], 2^-21
//     set2(p)                            int32_t p[0] in lanes 0..7, p[1] in lanes 8..15
//     reached(p, unit, code)             bit l: unit * p[l] <= code, for eight uint32_t
// clang-format on
// and on rows of sixteen 16-bit integers (`Row`), beside those of row_blocks.h,
// clang-format off
//     row_sra(a, n) row_and(a, b)
//     row_bytes(p)                       sixteen int8_t, widened
//     row_words(a)                       sixteen lanes that fit 16 bits
//     row_keep(m, a)                     a where the mask m is set, else 0
//     taps4(a, b, c, d)                  four rows as the bytes of sixteen lanes, each clip(v, -127, 127)
// clang-format on
//
// All functions give the integers of network.h and mixture.h (tests/test_kernels.py).

using Words = const int32_t*;

constexpr int kSignBytes = static_cast<int>(0x80808080u);  // adds 128 to four signed bytes: they become unsigned

alignas(64) constexpr int32_t kLaneNumbers[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

constexpr int fours(int n) { return (n + 3) / 4; }
inline int least(int a, int b) { return a < b ? a : b; }
inline int most(int a, int b) { return a > b ? a : b; }

void pack(CompiledNetwork& n) { pack_words(n, kRows); }

// ---- the network

/// The constants of a layer's outputs, and its weights: for each word of inputs `rows` words, one for each output.
struct Rows {
    Words bias, multiplier, shift, half, weights;
    int rows;

    Rows from(int first, Words their_weights, int their_rows) const {
        return {bias + first, multiplier + first, shift + first, half + first, their_weights, their_rows};
    }
};

/// Calls emit(word, four) for each four of kCount outputs: (multiplier * accumulator + half) >> shift.
template <int kCount, class Emit>
inline void dense_rows(const Rows& r, const I32* x, int words, int word, Emit emit) {
    I32 acc[kCount];
    for (int j = 0; j < kCount; ++j) acc[j] = set(r.bias[j]);
    Words weights = r.weights;
    for (int k = 0; k < words; ++k, weights += r.rows) {
        const I32 in = x[k];
        for (int j = 0; j < kCount; ++j) dot4(acc[j], in, weights + j);
    }
    for (int j = 0; j < kCount; j += 4) {
        I32 four[4];
        for (int i = 0; i < 4; ++i)
            four[i] = sra_by(add(mul(acc[j + i], set(r.multiplier[j + i])), set(r.half[j + i])), set(r.shift[j + i]));
        emit(word + j / 4, four);
    }
}

/// One dense layer; its outputs are padded to a multiple of 4. Returns the words after the layer's.
template <class Emit>
inline Words dense(const Layer& layer, Words packed, const I32* x, int words, Emit emit) {
    const int padded = 4 * fours(layer.outputs);
    const Rows all{packed, packed + padded, packed + 2 * padded, packed + 3 * padded, nullptr, 0};
    Words weights = packed + 4 * padded;
    int first = 0;
    for (; first + kRows <= padded; first += kRows, weights += words * kRows)
        dense_rows<kRows>(all.from(first, weights, kRows), x, words, first / 4, emit);
    const int rest = padded - first;
    for (int done = 0; done < rest; done += 4)
        dense_rows<4>(all.from(first + done, weights + done, rest), x, words, (first + done) / 4, emit);
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

void stage1(const CompiledNetwork& n, BatchValues& batch) {
    I32 x[kMaxWords], h1[kMaxWords], h2[kMaxWords];
    const int words = fours(n.layer1.inputs);
    load_signed(batch.taps, words, x);
    Words packed = n.packed.data();
    I32 linear = linear_sum(packed, x, words);
    packed = dense(n.layer1, packed, x, words, Activations{h1});
    packed = dense(n.layer2, packed, h1, fours(n.layer1.outputs), Activations{h2});
    linear = add(linear, linear_sum(packed, h2, fours(n.layer2.outputs)));
    store(batch.linear, linear);
    for (int k = 0; k < fours(n.layer2.outputs); ++k) store(reinterpret_cast<int32_t*>(batch.hidden[k]), h2[k]);
}

void correct(const PackedCorrection& c, const int8_t* classes, BatchValues& batch) {
    const I32 set_of = classes == nullptr ? set(0) : load_u8(classes);
    I32 sum = pick(c.start_biased.data(), set_of);
    const int words = static_cast<int>(c.words.size()) / kMaxSets;
    for (int k = 0; k < words; ++k)
        dot4_each(sum, bxor(load_word(batch.taps[k]), set(kSignBytes)), pick(c.words.data() + k * kMaxSets, set_of));
    store(batch.linear, add(load(batch.linear), sll(sum, c.shift)));
}

void stage2(const CompiledNetwork& n, BatchValues& batch) {
    I32 x[2 * kMaxWords], g1[kMaxWords], g2[kMaxWords];
    const int hidden = fours(n.layer2.outputs), errors = n.layer3.inputs - n.layer2.outputs;
    for (int k = 0; k < hidden; ++k) x[k] = load_word(batch.hidden[k]);
    load_signed(batch.errors, fours(errors), x + hidden);
    Words packed = n.packed.data() + n.stage2_at;
    packed = dense(n.layer3, packed, x, hidden + fours(errors), Activations{g1});
    packed = dense(n.layer4, packed, g1, fours(n.layer4.inputs), Activations{g2});
    for (int k = 0; k < fours(n.layer4.outputs); ++k) g2[k] = adds_u8(g2[k], g1[k]);
    dense(n.output, packed, g2, fours(n.output.inputs), [&](int word, const I32* four) {
        for (int i = 0; i < 4 && 4 * word + i < kOutputs; ++i) store(batch.outputs[4 * word + i], four[i]);
    });
}

// ---- taps

/// Which lanes of a batch have their tap (dx, dy) inside the slice, columns and rows apart: [d + kReach].
struct Inside {
    Row columns[2 * kReach + 1], rows[2 * kReach + 1];

    Inside(const SkewLayout& layout, const BatchPosition& at) {
        const I32 lane = load(kLaneNumbers), x = sub(set(at.x(0, layout.delta())), mul(lane, set(layout.delta())));
        const I32 y = add(lane, set(at.y));
        auto within = [](I32 v, int end) { return row_keep(both(less(set(-1), v), less(v, set(end))), row_set(-1)); };
        for (int d = -kReach; d <= kReach; ++d) {
            columns[d + kReach] = within(add(x, set(d)), layout.width());
            rows[d + kReach] = within(add(y, set(d)), layout.height());
        }
    }
    Row of(const TapSource& tap) const { return row_and(columns[tap.dx + kReach], rows[tap.dy + kReach]); }
};

/// @param kWide  differences need more than 16 bits: anchors W + N - C of a guide reach from -maximum to 2 * maximum
template <bool kWide>
inline void gather_as(const PlaneContext& context, const std::vector<TapSource>& taps, const BatchPosition& at,
                      const int32_t (*anchors)[kLanes], const Inside* inside, Words4<int8_t>* values) {
    const int q = context.settings.q;
    I32 wide[kAnchors];
    Row narrow[kAnchors];
    for (int a = 0; a < kAnchors; ++a) {
        wide[a] = load(anchors[a]);
        narrow[a] = row_words(kWide ? set(0) : wide[a]);
    }
    auto clipped = [](I32 v) { return row_words(max(min(v, set(127)), set(-127))); };
    auto row_of = [&](const TapSource& tap) {
        Row value;
        if (tap.kind == TapKind::kDifference) {
            const uint16_t* samples = tap.samples + at.y;
            if (kWide)
                value = clipped(sra(sub(load_u16(samples), wide[tap.anchor]), q));
            else
                value = row_sra(row_sub(load_row<kLanes>(samples), narrow[tap.anchor]), q);
            if (tap.masked && inside != nullptr) value = row_and(value, inside->of(tap));
        } else if (tap.kind == TapKind::kError) {
            value = row_bytes(tap.errors + at.y);
        } else {
            value = clipped(sub(sra(wide[0], context.settings.depth - 8), set(128)));
        }
        return tap.absolute ? row_abs(value) : value;
    };
    const TapSource* tap = taps.data();
    const TapSource* end = tap + taps.size();
    auto difference = [&](const TapSource& t) {
        const Row value = row_sub(load_row<kLanes>(t.samples + at.y), narrow[t.anchor]);
        return q == 0 ? value : row_sra(value, q);
    };
    auto four = [&](auto row) { return taps4(row(tap[0]), row(tap[1]), row(tap[2]), row(tap[3])); };
    auto error = [&](const TapSource& t) { return row_bytes(t.errors + at.y); };
    for (; end - tap >= 4; tap += 4, ++values) {
        I32 word;
        if (!kWide &&
            (tap->four == FourKind::kDifferences || (tap->four == FourKind::kMaskedDifferences && inside == nullptr)))
            word = four(difference);
        else if (tap->four == FourKind::kErrors)
            word = four(error);
        else if (tap->four == FourKind::kAbsoluteErrors)
            word = four([&](const TapSource& t) { return row_abs(error(t)); });
        else
            word = four(row_of);
        store(reinterpret_cast<int32_t*>(*values), word);
    }
    if (tap == end) return;
    const Row zero = row_set(0);
    store(reinterpret_cast<int32_t*>(*values),
          taps4(row_of(tap[0]), end - tap > 1 ? row_of(tap[1]) : zero, end - tap > 2 ? row_of(tap[2]) : zero, zero));
}

void gather(const PlaneContext& context, const std::vector<TapSource>& taps, const BatchPosition& at,
            const int32_t (*anchors)[kLanes], Words4<int8_t>* values) {
    constexpr int kNarrowDepth = 13;  // 3 * maximum fits 15 bits
    const Inside* inside = nullptr;
    alignas(Inside) unsigned char memory[sizeof(Inside)];
    if (!at.interior) inside = new (memory) Inside(context.layout, at);
    if (context.settings.depth <= kNarrowDepth)
        gather_as<false>(context, taps, at, anchors, inside, values);
    else
        gather_as<true>(context, taps, at, anchors, inside, values);
}

// ---- the distribution

void mixture(const int32_t (*outputs)[kLanes], const int32_t* mean, int q, MixtureBatch& m) {
    I32 logit[kLogistics], e[kLogistics];
    for (int k = 0; k < kLogistics; ++k) logit[k] = load(outputs[k]);
    const I32 top = max(max(logit[0], logit[1]), logit[2]);
    for (int k = 0; k < kLogistics; ++k) e[k] = look_up(kVectorTables.exp, min(set(255), sub(top, logit[k])));
    const I32 sum = add(add(e[0], e[1]), e[2]);
    I32 weight[kLogistics];
    weight[1] = quotient(sll(e[1], 10), sum);
    weight[2] = quotient(sll(e[2], 10), sum);
    weight[0] = sub(set(1024), add(weight[1], weight[2]));
    I32 heaviest = set(-1), start = set(0), step = set(0);
    for (int k = 0; k < kLogistics; ++k) {
        const I32 offset = max(min(load(outputs[3 + k]), set(255)), set(-255));
        const I32 index = add(max(min(load(outputs[6 + k]), set(127)), set(-128)), set(128));
        const I32 pair = look_up(kVectorTables.scale_inverse, index);
        const I32 scale = band(pair, set(0xffff));
        const I32 centre = add(load(mean), sll(sra(mul(offset, scale), 6), q));
        store(m.weight[k], weight[k]);
        store(m.centre[k], centre);
        store(m.inverse[k], srl(pair, 16));
        const Mask heavier = less(heaviest, weight[k]);
        heaviest = max(heaviest, weight[k]);
        start = blend(heavier, start, sra(centre, 5));
        step = blend(heavier, step, sll(add(sra(scale, 6), set(1)), q));
    }
    store(m.start, start);
    store(m.step, step);
}

/// The parameters of one distribution in every lane, or of sixteen.
struct Logistics {
    I32 weight[kLogistics], centre[kLogistics], inverse[kLogistics];
};

/// C(v) of section 6; `beyond` for v > maximum.
inline I32 bounds(const Logistics& m, I32 v, int depth, int q, int32_t beyond) {
    I32 sum = set(0);
    const I32 low_end = sub(sll(v, 5), set(16));
    for (int k = 0; k < kLogistics; ++k) {
        const I32 d = sub(low_end, m.centre[k]);
        I32 distance = absolute(d);
        if (q != 0) distance = srl(distance, q);
        const I32 t =
            tail(min(srl(mul(min(distance, set(kVectorTables.farthest)), m.inverse[k]), 5), set(kVectorTables.last)));
        sum = add(sum, mul(m.weight[k], blend(less(d, set(0)), sub(set(kVectorTables.whole), t), t)));
    }
    const I32 p = srl(sum, 7);
    const I32 inner = add(sub(p, srl(p, kProbabilityBits - depth)), v);
    return blend(less(set((1 << depth) - 1), v), keep(less(set(0), v), inner), set(beyond));
}

void sample_bounds(const MixtureBatch& m, const uint16_t* samples, int depth, int q, uint32_t* low, uint32_t* high) {
    Logistics all;
    for (int k = 0; k < kLogistics; ++k) {
        all.weight[k] = load(m.weight[k]);
        all.centre[k] = load(m.centre[k]);
        all.inverse[k] = load(m.inverse[k]);
    }
    const I32 v = load_u16(samples);
    store(reinterpret_cast<int32_t*>(low), bounds(all, v, depth, q, kProbabilityOne));
    store(reinterpret_cast<int32_t*>(high), bounds(all, add(v, set(1)), depth, q, kProbabilityOne));
}

// ---- the search

inline Logistics distribution(const MixtureBatch& m, int lane) {
    Logistics one;
    for (int k = 0; k < kLogistics; ++k) {
        one.weight[k] = set(m.weight[k][lane]);
        one.centre[k] = set(m.centre[k][lane]);
        one.inverse[k] = set(m.inverse[k][lane]);
    }
    return one;
}

/// The distributions of two lanes, for lanes 0..7 and 8..15.
inline Logistics two_distributions(const MixtureBatch& m, int lane) {
    Logistics two;
    for (int k = 0; k < kLogistics; ++k) {
        two.weight[k] = set2(m.weight[k] + lane);
        two.centre[k] = set2(m.centre[k] + lane);
        two.inverse[k] = set2(m.inverse[k] + lane);
    }
    return two;
}

// code < unit * 2^24 + 2^24 and unit >= 2^8, so this bound lies beyond any code.
constexpr int32_t kNeverReached = 2 * kProbabilityOne;

/// Samples `stride` apart whose bounds are compared with the code at once: `count` of them.
struct Window {
    int32_t base, stride, count;
};

/// Samples of the first window, which lies around the likely sample and does not depend on the code: nineteen of twenty
/// samples are in it, so that two lanes share the evaluation of sixteen.
constexpr int kFirst = 8;
alignas(64) constexpr int32_t kFirstNumbers[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7};

inline Window first_window(const MixtureBatch& m, int lane, int maximum) {
    const int excess = (m.step[lane] - 1) >> 2;  // the least power of two of at least a quarter of the scale
    const int stride = excess == 0 ? 1 : 1 << (32 - __builtin_clz(static_cast<unsigned>(excess)));
    return {most(0, least(m.start[lane], maximum)) - (kFirst / 2 - 1) * stride, stride, kFirst};
}

/// Searches on where the first window left more than one sample.
/// @param bound  bounds of the window's samples, `reach` of which are reached
__attribute__((noinline, cold)) Found search(const MixtureBatch& m, int lane, int depth, int q, uint64_t unit,
                                             uint64_t code, const uint32_t* bound, int reach) {
    const Logistics one = distribution(m, lane);
    Window window = first_window(m, lane, (1 << depth) - 1);
    int lo = 0, hi = 1 << depth;  // the symbol lies in [lo, hi); the bounds of both ends are known
    uint32_t lo_bound = 0, hi_bound = kProbabilityOne;
    int growth = 1;
    alignas(64) uint32_t next[kLanes];
    while (true) {
        const int last = window.base + (reach - 1) * window.stride;  // C(v) rises: the reached bounds come first
        if (reach > 0 && last > lo) lo = last, lo_bound = bound[reach - 1];
        if (reach < window.count && last + window.stride < hi)
            hi = most(last + window.stride, 0), hi_bound = bound[reach];
        if (hi - lo <= 1) return {lo, lo_bound, hi_bound};
        // Beyond the window: the next one on that side, then wider ones, unless sixteen samples cut what is left more
        // finely.
        const int even = (hi - lo + kLanes) / (kLanes + 1);
        const bool outside = reach == 0 || reach == window.count;
        const int stride = outside ? least(window.stride * growth, even) : even;
        window = {outside && reach == 0 ? hi - kLanes * stride : lo + stride, stride, kLanes};
        growth = 8;
        const I32 c = bounds(one, add(set(window.base), mul(load(kLaneNumbers), set(stride))), depth, q, kNeverReached);
        store(reinterpret_cast<int32_t*>(next), c);
        bound = next;
        reach = __builtin_ctz(~(reached(next, unit, code) | reached(next + kFirst, unit, code) << kFirst));
    }
}

/// RangeDecoder::consume, for this file's instruction set, without branches but for what hardly ever happens.
inline void consume(DecoderState& s, uint64_t unit, uint32_t low, uint32_t high) {
    const uint64_t rest = s.range - unit * low, part = unit * (high - low);
    uint64_t range = high == static_cast<uint32_t>(kProbabilityOne) ? rest : part;
    uint64_t code = s.code - unit * low;
    do {
        uint64_t word = 0;
        if (__builtin_expect(s.position + 2 <= s.size, 1))
            word = static_cast<uint64_t>(s.data[s.position]) << 8 | s.data[s.position + 1];
        else if (s.position < s.size)
            word = static_cast<uint64_t>(s.data[s.position]) << 8;
        const uint64_t few = range < kLeastRange ? 1 : 0;
        const int shift = static_cast<int>(few << 4);
        code = code << shift | (word & (0 - few));
        range <<= shift;
        s.position += 2 * few;
    } while (__builtin_expect(range < kLeastRange, 0));
    s.code = code;
    s.range = range;
}

void decode(const MixtureBatch& m, int count, int depth, int q, DecoderState& state, uint16_t* samples) {
    // The windows of the lanes to come are evaluated beside the comparison of this one, which waits for the coder.
    constexpr int kAhead = 2;
    alignas(64) uint32_t bound[kLanes][kFirst];
    alignas(64) int32_t base[kLanes], stride[kLanes];
    const int maximum = (1 << depth) - 1;
    DecoderState s = state;
    for (int step = 0; step < count + kAhead; ++step) {
        if (step < count && step % 2 == 0) {
            for (int lane = step; lane < step + 2; ++lane) {
                const Window window = first_window(m, lane, maximum);
                base[lane] = window.base;
                stride[lane] = window.stride;
            }
            const I32 v = add(set2(base + step), mul(load(kFirstNumbers), set2(stride + step)));
            store(reinterpret_cast<int32_t*>(bound[step]),
                  bounds(two_distributions(m, step), v, depth, q, kNeverReached));
        }
        const int lane = step - kAhead;
        if (lane < 0) continue;
        const uint64_t unit = s.range >> kProbabilityBits;
        const int reach = __builtin_ctz(~reached(bound[lane], unit, s.code));
        Found found{base[lane] + reach - 1, bound[lane][(reach - 1) & (kFirst - 1)], bound[lane][reach & (kFirst - 1)]};
        if (__builtin_expect(stride[lane] != 1 || reach == 0 || reach == kFirst, 0))
            found = search(m, lane, depth, q, unit, s.code, bound[lane], reach);
        if (found.high > static_cast<uint32_t>(kProbabilityOne)) found.high = kProbabilityOne;
        consume(s, unit, found.low, found.high);
        samples[lane] = static_cast<uint16_t>(found.sample);
    }
    state = s;
}

const Kernels kTable = {kName,   pack,          gather, stage1,       correct, stage2,
                        mixture, sample_bounds, decode, &kBlockTable, products};
