// `open` for at most eight samples, included after vector.h where there are kernels for so few (vector_half.h).

inline Logistics twice(const Logistics& m) {
    Logistics both_halves;
    for (int k = 0; k < kLogistics; ++k) {
        both_halves.weight[k] = twice(m.weight[k]);
        both_halves.centre[k] = twice(m.centre[k]);
        both_halves.inverse[k] = twice(m.inverse[k]);
    }
    return both_halves;
}

alignas(64) constexpr int32_t kUpperLanes[kLanes] = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1};

/// `open` of at most eight samples: two columns of the window side by side
void open_half(const int32_t (*outputs)[kLanes], const int32_t* mean, PendingSamples& p, PendingSamples* before) {
    open_beside(before, [&](auto& beside) {
        const I32 base = twice(open_window(outputs, mean, p, beside)), stride = twice(load(p.stride));
        const I32 v = add(base, band(stride, load(kUpperLanes)));
        I32 columns[kFirstWindow / 2];
        two_columns<kFirstWindow / 2>(twice(distributions(p.mixture)), v, sll(stride, 1), p, beside, columns);
        store_turned8(columns, p.bounds);
    });
}
