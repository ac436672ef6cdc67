// Taps of narrow samples (docs/bitstream.md section 4), a part of vector.h and vector_half.h.

/// Which lanes of a batch have their tap (dx, dy) inside the slice, columns and rows apart: [d + kReach].
struct InsideBytes {
    ByteMask columns[2 * kReach + 1], rows[2 * kReach + 1];

    InsideBytes(const SkewLayout& layout, const BatchPosition& at) {
        const I32 lane = load(kLaneNumbers), x = sub(set(at.x(0, layout.delta())), mul(lane, set(layout.delta())));
        const I32 y = add(lane, set(at.y));
        auto within = [](I32 v, int end) { return byte_mask(both(less(set(-1), v), less(v, set(end)))); };
        for (int d = -kReach; d <= kReach; ++d) {
            columns[d + kReach] = within(add(x, set(d)), layout.width());
            rows[d + kReach] = within(add(y, set(d)), layout.height());
        }
    }
    ByteMask of(const TapSource& tap) const {
        return tap.masked ? both_bytes(columns[tap.dx + kReach], rows[tap.dy + kReach]) : all_bytes(true);
    }
};

/// gather for narrow samples
inline void gather_bytes(const PlaneContext& context, const std::vector<TapSource>& taps, const BatchPosition& at,
                         Words4<int8_t>* values) {
    const InsideBytes* inside = nullptr;  // made when a list has taps that need it
    alignas(InsideBytes) unsigned char memory[sizeof(InsideBytes)];
    const int8_t* anchors[kAnchors + 1];
    find_byte_anchors(context, at, anchors);
    Bytes4 anchor[kAnchors + 1];
    for (int a = 0; a <= kAnchors; ++a) anchor[a] = repeat_bytes(anchors[a]);
    const TapSource* tap = taps.data();
    const TapSource* end = tap + taps.size();
    auto values_of = [&] {
        return load_bytes4(tap[0].bytes + at.y, tap[1].bytes + at.y, tap[2].bytes + at.y, tap[3].bytes + at.y);
    };
    auto kept = [&](Bytes4 v, auto mask) {
        return bytes_keep(v, mask(tap[0]), mask(tap[1]), mask(tap[2]), mask(tap[3]));
    };
    auto masked = [&](Bytes4 v) {
        if (at.interior) return v;
        if (inside == nullptr) inside = new (memory) InsideBytes(context.layout, at);
        return kept(v, [&](const TapSource& t) { return inside->of(t); });
    };
    for (; tap != end; tap += 4, ++values) {
        I32 word;
        if (tap->four == FourKind::kDifferences) {
            word = turn_bytes(bytes_sub(values_of(), anchor[tap->anchor]));
        } else if (tap->four == FourKind::kMaskedDifferences) {
            word = turn_bytes(masked(bytes_sub(values_of(), anchor[tap->anchor])));
        } else if (tap->four == FourKind::kErrors) {
            word = turn_bytes(values_of());
        } else if (tap->four == FourKind::kAbsoluteErrors) {
            word = turn_bytes(bytes_abs(values_of()));
        } else {
            Bytes4 v = bytes_sub(values_of(), load_bytes4(anchors[tap[0].anchor], anchors[tap[1].anchor],
                                                          anchors[tap[2].anchor], anchors[tap[3].anchor]));
            if (tap[0].masked || tap[1].masked || tap[2].masked || tap[3].masked) v = masked(v);
            word = turn_bytes(bytes_or(kept(v, [](const TapSource& t) { return all_bytes(!t.absolute); }),
                                       kept(bytes_abs(v), [](const TapSource& t) { return all_bytes(t.absolute); })));
        }
        store(reinterpret_cast<int32_t*>(*values), word);
    }
}
