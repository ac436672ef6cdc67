// Motion of samples of 8 bits, written once over rows of sixteen 16-bit integers. The including file defines, in
// its own anonymous namespace, the primitives and then includes this file, which is compiled with that file's flags.
//
// clang-format off
//     Row                              sixteen int16_t
//     load_row<kWidth>(p)              uint16_t p[kWidth], zeros beyond; kWidth is 4, 8 or 16; p needs no alignment
//     store_row<kWidth>(p, a)          the first kWidth
//     row_set(v) row_add(a, b) row_mul(a, b)  lane by lane, low 16 bits
//     row_sub(a, b) row_abs(a)
//     row_settle(a)                    (a + 32) >> 6
//     row_clip(a)                      clip(a, 0, 255)
//     RowPair row_pair(a, b)           two rows as row_settle2 wants them
//     row_settle2(ab, cd, f)           max(0, (f[0] a + f[1] b + f[2] c + f[3] d + 2048) >> 12)
//     TwoRows row_pack(a, b)           both, each clip(v, 0, 255)
//     Sums row_no_sums()
//     row_add_differences(sums, p, q)  the absolute differences of two TwoRows, added to sums
//     row_total(sums)
// clang-format on
//
// With 8 bits the sums of one direction stay below 78 * 255 < 2^15, 78 being the largest sum of |taps|. A filter that
// only copies multiplies by 64, so where it is one of the two, one rounding by 6 bits gives what two directions give.

constexpr int kNarrowSamples = 255;  // the largest sample that these functions take, which is that of the least depth

struct RowFilter {
    Row taps[kFilterTaps];

    explicit RowFilter(const int* f) : taps{row_set(f[0]), row_set(f[1]), row_set(f[2]), row_set(f[3])} {}
    Row operator()(Row a, Row b, Row c, Row d) const {
        return row_add(row_add(row_mul(a, taps[0]), row_mul(b, taps[1])),
                       row_add(row_mul(c, taps[2]), row_mul(d, taps[3])));
    }
};

/// Calls emit(y, row) for the rows of a displaced block, which are not clipped, until it returns false.
template <int kWidth, class Emit>
inline void displaced_rows(const uint16_t* source, int source_stride, int h, const int* fx, const int* fy, Emit emit) {
    auto row = [&](int y) { return source + static_cast<ptrdiff_t>(y) * source_stride; };
    const RowFilter across(fx), down(fy);
    auto filtered = [&](int y) {
        const uint16_t* s = row(y);
        return across(load_row<kWidth>(s), load_row<kWidth>(s + 1), load_row<kWidth>(s + 2), load_row<kWidth>(s + 3));
    };
    if (fy[1] == kFullTap) {
        for (int y = 0; y < h; ++y)
            if (!emit(y, row_settle(filtered(y + 1)))) return;
    } else if (fx[1] == kFullTap) {
        auto copied = [&](int y) { return load_row<kWidth>(row(y) + 1); };
        Row a = copied(0), b = copied(1), c = copied(2);
        for (int y = 0; y < h; ++y) {
            const Row d = copied(y + 3);
            if (!emit(y, row_settle(down(a, b, c, d)))) return;
            a = b, b = c, c = d;
        }
    } else {
        Row c = filtered(2);
        const Row b = filtered(1);
        RowPair first = row_pair(filtered(0), b), second = row_pair(b, c);
        for (int y = 0; y < h; ++y) {
            const Row d = filtered(y + 3);
            const RowPair third = row_pair(c, d);
            if (!emit(y, row_settle2(first, third, fy))) return;
            first = second, second = third, c = d;
        }
    }
}

template <int kWidth>
inline void interpolate_rows(const uint16_t* source, int source_stride, int h, const int* fx, const int* fy,
                             uint16_t* out, int out_stride) {
    displaced_rows<kWidth>(source, source_stride, h, fx, fy, [&](int y, Row row) {
        store_row<kWidth>(out + y * out_stride, row_clip(row));
        return true;
    });
}

void interpolate(const uint16_t* source, int source_stride, int w, int h, const int* fx, const int* fy, int maximum,
                 uint16_t* out, int out_stride) {
    if (maximum > kNarrowSamples || (w != 16 && w != 8 && w != 4))
        return interpolate_any(source, source_stride, w, h, fx, fy, maximum, out, out_stride);
    if (w == 16) return interpolate_rows<16>(source, source_stride, h, fx, fy, out, out_stride);
    if (w == 8) return interpolate_rows<8>(source, source_stride, h, fx, fy, out, out_stride);
    interpolate_rows<4>(source, source_stride, h, fx, fy, out, out_stride);
}

constexpr int kRowsAtOnce = 8;  // between looks at a limit, even

template <int kWidth>
inline int displaced_difference_rows(const uint16_t* a, int a_stride, const uint16_t* source, int source_stride, int h,
                                     const int* fx, const int* fy, int limit) {
    Sums sums = row_no_sums();
    Row even = row_set(0);
    displaced_rows<kWidth>(source, source_stride, h, fx, fy, [&](int y, Row row) {
        const uint16_t* own = a + y * a_stride;
        if (y % 2 == 0) {
            even = row;
            if (y == h - 1)  // an odd number of rows
                row_add_differences(sums, row_pack(load_row<kWidth>(own), row_set(0)), row_pack(even, row_set(0)));
            return true;
        }
        row_add_differences(sums, row_pack(load_row<kWidth>(own - a_stride), load_row<kWidth>(own)),
                            row_pack(even, row));
        return (y + 1) % kRowsAtOnce != 0 || row_total(sums) < limit;
    });
    return row_total(sums);
}

int displaced_difference(const uint16_t* a, int a_stride, const uint16_t* source, int source_stride, int w, int h,
                         const int* fx, const int* fy, int maximum, int limit) {
    if (maximum <= kNarrowSamples && w == 16)
        return displaced_difference_rows<16>(a, a_stride, source, source_stride, h, fx, fy, limit);
    if (maximum <= kNarrowSamples && w == 8)
        return displaced_difference_rows<8>(a, a_stride, source, source_stride, h, fx, fy, limit);
    return displaced_difference_any(a, a_stride, source, source_stride, w, h, fx, fy, maximum, limit);
}

/// Rows y and y + 1 of a block of h rows; zeros for one past the end.
template <int kWidth>
inline TwoRows two_rows(const uint16_t* a, int stride, int y, int h) {
    const uint16_t* row = a + static_cast<ptrdiff_t>(y) * stride;
    return row_pack(load_row<kWidth>(row), y + 1 < h ? load_row<kWidth>(row + stride) : row_set(0));
}

template <int kWidth>
inline int difference_rows(const uint16_t* a, int a_stride, const uint16_t* b, int b_stride, int h, int limit) {
    Sums sums = row_no_sums();
    for (int y = 0; y < h; y += 2) {
        if (y % kRowsAtOnce == 0 && y != 0 && row_total(sums) >= limit) break;
        row_add_differences(sums, two_rows<kWidth>(a, a_stride, y, h), two_rows<kWidth>(b, b_stride, y, h));
    }
    return row_total(sums);
}

int difference(const uint16_t* a, int a_stride, const uint16_t* b, int b_stride, int w, int h, int maximum, int limit) {
    if (maximum <= kNarrowSamples && w == 16) return difference_rows<16>(a, a_stride, b, b_stride, h, limit);
    if (maximum <= kNarrowSamples && w == 8) return difference_rows<8>(a, a_stride, b, b_stride, h, limit);
    return difference_any(a, a_stride, b, b_stride, w, h, maximum, limit);
}

template <int kWidth>
inline void around_rows(const uint16_t* a, int a_stride, const uint16_t* source, int source_stride, int h,
                        const Displacements& at, int* out) {
    constexpr int kMostRows = kOldBlock + kFilterTaps + 1;
    TwoRows own[kOldBlock / 2];
    for (int y = 0; y < h; y += 2) own[y / 2] = two_rows<kWidth>(a, a_stride, y, h);
    Row rows[kMostRows];
    RowPair pairs[kMostRows - 1];
    const int needed = h + kFilterTaps - 1 + at.y[2];
    for (int i = 0; i < 3; ++i) {
        const uint16_t* s = source + at.x[i];
        const RowFilter across(at.filter_x[i]);
        const bool copied = at.filter_x[i][1] == kFullTap;
        for (int y = 0; y < needed; ++y, s += source_stride)
            rows[y] = copied ? load_row<kWidth>(s + 1)
                             : across(load_row<kWidth>(s), load_row<kWidth>(s + 1), load_row<kWidth>(s + 2),
                                      load_row<kWidth>(s + 3));
        for (int y = 0; !copied && y + 1 < needed; ++y) pairs[y] = row_pair(rows[y], rows[y + 1]);
        for (int j = 0; j < 3; ++j) {
            if (i == 1 && j == 1) continue;
            const Row* r = rows + at.y[j];
            const RowPair* p = pairs + at.y[j];
            const int* fy = at.filter_y[j];
            const RowFilter down(fy);
            Sums sums = row_no_sums();
            auto add = [&](auto row) {
                for (int y = 0; y < h; y += 2)
                    row_add_differences(sums, own[y / 2], row_pack(row(y), y + 1 < h ? row(y + 1) : row_set(0)));
            };
            if (copied && fy[1] == kFullTap)
                add([&](int y) { return r[y + 1]; });
            else if (fy[1] == kFullTap)
                add([&](int y) { return row_settle(r[y + 1]); });
            else if (copied)
                add([&](int y) { return row_settle(down(r[y], r[y + 1], r[y + 2], r[y + 3])); });
            else
                add([&](int y) { return row_settle2(p[y], p[y + 2], fy); });
            out[3 * j + i] = row_total(sums);
        }
    }
}

void around(const uint16_t* a, int a_stride, const uint16_t* source, int source_stride, int w, int h,
            const Displacements& at, int maximum, int limit, int* out) {
    if (maximum <= kNarrowSamples && w == 16)
        around_rows<16>(a, a_stride, source, source_stride, h, at, out);
    else if (maximum <= kNarrowSamples && w == 8)
        around_rows<8>(a, a_stride, source, source_stride, h, at, out);
    else
        around_any(a, a_stride, source, source_stride, w, h, at, maximum, limit, out);
}

/// A lane for each of sixteen blocks.
void scan(const uint16_t* a, int a_stride, const uint16_t* b, int b_stride, int w, int h, int maximum, int count,
          int* out) {
    constexpr int kBlocks = 16, kMostSamples = 128;  // so many differences of 8 bits fit 15 bits
    int done = 0;
    for (; maximum <= kNarrowSamples && w * h <= kMostSamples && done + kBlocks <= count; done += kBlocks) {
        Row sum = row_set(0);
        for (int y = 0; y < h; ++y)
            for (int x = 0; x < w; ++x)
                sum = row_add(sum, row_abs(row_sub(load_row<kBlocks>(b + done + y * b_stride + x),
                                                   row_set(a[y * a_stride + x]))));
        uint16_t sums[kBlocks];
        store_row<kBlocks>(sums, sum);
        for (int i = 0; i < kBlocks; ++i) out[done + i] = sums[i];
    }
    scan_any(a, a_stride, b + done, b_stride, w, h, maximum, count - done, out + done);
}

const BlockKernels kBlockTable = {interpolate, difference, displaced_difference, around, scan};
