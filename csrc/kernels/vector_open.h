// Distributions of samples to be decoded, opened while those of the batch before are decoded (docs/bitstream.md
// sections 6 and 7), a part of vector.h.

/// Begins `open` and returns the first sample of each lane's window. The window around the likely sample does not
/// depend on the code: nineteen of twenty samples are in it.
template <class Beside>
inline I32 open_window(const int32_t (*outputs)[kLanes], const int32_t* mean, PendingSamples& p, Beside& beside) {
    mixture_of(outputs, mean, p.q, p.mixture, beside);
    I32 stride =
        sra(sub(load(p.mixture.step), set(1)), 2);  // the least power of two of at least a quarter of the scale
    for (int n = 1; n <= 8; n *= 2) stride = bor(stride, srl(stride, n));
    stride = add(stride, set(1));
    const I32 likely = max(set(0), min(load(p.mixture.start), set((1 << p.depth) - 1)));
    I32 v = sub(likely, mul(stride, set(kFirstWindow / 2 - 1)));
    store(p.stride, stride);
    store(p.base, v);
    p.next = 0;
    return v;
}

/// The bounds of `count` columns of two, from v on, `step` apart.
template <int kCount, class Beside>
inline void two_columns(const Logistics& all, I32 v, I32 step, const PendingSamples& p, Beside& beside, I32* columns) {
    for (int j = 0; j < kCount; j += 2, v = add(v, sll(step, 1))) {
        const Two c = bounds_of_two(all, v, add(v, step), p.depth, p.q, kNeverReached, beside);
        columns[j] = c.first;
        columns[j + 1] = c.second;
        beside();
        beside.settle();
    }
}

/// Calls open(beside), which asks it kLanes times.
template <class Open>
inline void open_beside(PendingSamples* before, Open open) {
    if (before == nullptr || before->next == before->count) {
        Nothing nothing;
        return open(nothing);
    }
    Beside beside(*before, kLanes);
    open(beside);
}

void open(const int32_t (*outputs)[kLanes], const int32_t* mean, PendingSamples& p, PendingSamples* before) {
    open_beside(before, [&](auto& beside) {
        const I32 v = open_window(outputs, mean, p, beside);
        I32 columns[kFirstWindow];
        two_columns<kFirstWindow>(distributions(p.mixture), v, load(p.stride), p, beside, columns);
        store_turned(columns, p.bounds);
    });
}
