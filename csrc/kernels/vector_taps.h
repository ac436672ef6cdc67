// Taps, corrections, means and prediction errors of sixteen samples (docs/bitstream.md sections 4 and 5), a part of
// vector.h.

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
            value = row_bytes(tap.bytes + at.y);
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
    auto error = [&](const TapSource& t) { return row_bytes(t.bytes + at.y); };
    for (; tap != end; tap += 4, ++values) {
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
}

void gather(const PlaneContext& context, const std::vector<TapSource>& taps, const BatchPosition& at,
            const int32_t (*anchors)[kLanes], Words4<int8_t>* values) {
    if (context.narrow) return gather_bytes(context, taps, at, values);
    constexpr int kNarrowDepth = 13;  // 3 * maximum fits 15 bits
    const Inside* inside = nullptr;
    alignas(Inside) unsigned char memory[sizeof(Inside)];
    if (!at.interior) inside = new (memory) Inside(context.layout, at);
    if (context.settings.depth <= kNarrowDepth)
        gather_as<false>(context, taps, at, anchors, inside, values);
    else
        gather_as<true>(context, taps, at, anchors, inside, values);
}

void correct(const PackedCorrection& c, const int8_t* classes, BatchValues& batch) {
    const I32 set_of = classes == nullptr ? set(0) : load_u8(classes);
    I32 sum = pick(c.start_biased.data(), set_of);
    const int words = static_cast<int>(c.words.size()) / kMaxSets;
    for (int k = 0; k < words; ++k)
        dot4_each(sum, bxor(load_word(batch.taps[k]), set(kSignBytes)), pick(c.words.data() + k * kMaxSets, set_of));
    store(batch.linear, add(load(batch.linear), sll(sum, c.shift)));
}

void means(const int32_t* anchors, const int32_t* linear, int depth, int q, int32_t* mean) {
    const I32 fine = sll(sra(add(load(linear), set(256)), 9), q);
    const I32 most = set(((1 << depth) - 1) << 5);
    store(mean, max(set(0), min(add(sll(load(anchors), 5), fine), most)));
}

void errors(const uint16_t* samples, const int32_t* mean, int q, int8_t* out) {
    const I32 e = sra(add(sub(sll(load_u16(samples), 5), load(mean)), set(4 << q)), 3 + q);
    store_bytes(out, max(set(-127), min(e, set(127))));
}
