// The loops behind BlockKernels, included by a file for one instruction set inside its anonymous namespace. They are
// plain C++: with the width known, the compiler turns them into the vector instructions that the file allows.
//
// At 16 bits a filter's sums stay below 78 * 78 * 65535 < 2^31, 78 being the largest sum of |taps| of one direction.

constexpr int kFullTap = 64;  // the tap of a filter that only copies

template <int kWidth>
inline void interpolate_columns(const uint16_t* source, int source_stride, int w, int h, const int* fx, const int* fy,
                                int maximum, uint16_t* out, int out_stride) {
    const int width = kWidth != 0 ? kWidth : w;
    const bool only_rows = fy[1] == kFullTap;
    int sums[kOldBlock + kFilterTaps - 1][kOldBlock];
    for (int y = only_rows ? 1 : 0; y < (only_rows ? h + 1 : h + kFilterTaps - 1); ++y) {
        const uint16_t* s = source + y * source_stride;
        NLVC_LANE_LOOP
        for (int x = 0; x < width; ++x)
            sums[y][x] = fx[0] * s[x] + fx[1] * s[x + 1] + fx[2] * s[x + 2] + fx[3] * s[x + 3];
    }
    for (int y = 0; y < h; ++y) {
        uint16_t* to = out + y * out_stride;
        for (int x = 0; x < width; ++x) {
            const int sum = only_rows ? kFullTap * sums[y + 1][x]
                                      : fy[0] * sums[y][x] + fy[1] * sums[y + 1][x] + fy[2] * sums[y + 2][x] +
                                            fy[3] * sums[y + 3][x];
            const int value = (sum + 2048) >> 12;
            to[x] = static_cast<uint16_t>(value < 0 ? 0 : value > maximum ? maximum : value);
        }
    }
}

inline void interpolate_any(const uint16_t* source, int source_stride, int w, int h, const int* fx, const int* fy,
                            int maximum, uint16_t* out, int out_stride) {
    if (w == kOldBlock)
        interpolate_columns<kOldBlock>(source, source_stride, w, h, fx, fy, maximum, out, out_stride);
    else if (w == kBlock)
        interpolate_columns<kBlock>(source, source_stride, w, h, fx, fy, maximum, out, out_stride);
    else
        interpolate_columns<0>(source, source_stride, w, h, fx, fy, maximum, out, out_stride);
}

/// kSum holds the differences of kRowsAtOnce rows.
template <int kWidth, class kSum>
inline int difference_columns(const uint16_t* a, int a_stride, const uint16_t* b, int b_stride, int w, int h,
                              int limit) {
    constexpr int kRowsAtOnce = 8;  // between looks at the limit
    const int width = kWidth != 0 ? kWidth : w;
    int total = 0;
    for (int y = 0; y < h && total < limit; y += kRowsAtOnce) {
        kSum sums[kOldBlock] = {};
        for (int j = y; j < h && j < y + kRowsAtOnce; ++j, a += a_stride, b += b_stride) {
            NLVC_LANE_LOOP
            for (int x = 0; x < width; ++x) {
                const uint16_t larger = a[x] > b[x] ? a[x] : b[x], smaller = a[x] > b[x] ? b[x] : a[x];
                sums[x] = static_cast<kSum>(sums[x] + static_cast<uint16_t>(larger - smaller));
            }
        }
        for (int x = 0; x < width; ++x) total += static_cast<int>(sums[x]);
    }
    return total;
}

template <class kSum>
inline int difference_as(const uint16_t* a, int a_stride, const uint16_t* b, int b_stride, int w, int h, int limit) {
    if (w == kOldBlock) return difference_columns<kOldBlock, kSum>(a, a_stride, b, b_stride, w, h, limit);
    if (w == kBlock) return difference_columns<kBlock, kSum>(a, a_stride, b, b_stride, w, h, limit);
    return difference_columns<0, kSum>(a, a_stride, b, b_stride, w, h, limit);
}

inline int difference_any(const uint16_t* a, int a_stride, const uint16_t* b, int b_stride, int w, int h, int maximum,
                          int limit) {
    constexpr int kMaxNarrow = 65535 / 8;  // eight differences of this size fit 16 bits
    return maximum <= kMaxNarrow ? difference_as<uint16_t>(a, a_stride, b, b_stride, w, h, limit)
                                 : difference_as<uint32_t>(a, a_stride, b, b_stride, w, h, limit);
}

inline int displaced_difference_any(const uint16_t* a, int a_stride, const uint16_t* source, int source_stride, int w,
                                    int h, const int* fx, const int* fy, int maximum, int limit) {
    // In two halves: a bad vector shows in the first.
    constexpr int kRowsAtOnce = kOldBlock / 2;
    uint16_t block[kRowsAtOnce * kOldBlock];
    int total = 0;
    for (int y = 0; y < h && total < limit; y += kRowsAtOnce) {
        const int rows = h - y < kRowsAtOnce ? h - y : kRowsAtOnce;
        interpolate_any(source + y * source_stride, source_stride, w, rows, fx, fy, maximum, block, kOldBlock);
        total += difference_any(a + y * a_stride, a_stride, block, kOldBlock, w, rows, maximum, limit - total);
    }
    return total;
}

inline void around_any(const uint16_t* a, int a_stride, const uint16_t* source, int source_stride, int w, int h,
                       const Displacements& at, int maximum, int limit, int* out) {
    for (int j = 0; j < 3; ++j)
        for (int i = 0; i < 3; ++i) {
            if (i == 1 && j == 1) continue;
            const uint16_t* from = source + at.y[j] * source_stride + at.x[i];
            const bool copied = at.filter_x[i][1] == kFullTap && at.filter_y[j][1] == kFullTap;
            out[3 * j + i] =
                copied ? difference_any(a, a_stride, from + source_stride + 1, source_stride, w, h, maximum, limit)
                       : displaced_difference_any(a, a_stride, from, source_stride, w, h, at.filter_x[i],
                                                  at.filter_y[j], maximum, limit);
        }
}

inline void scan_any(const uint16_t* a, int a_stride, const uint16_t* b, int b_stride, int w, int h, int maximum,
                     int count, int* out) {
    constexpr int kNone = 0x7fffffff;
    for (int i = 0; i < count; ++i) out[i] = difference_any(a, a_stride, b + i, b_stride, w, h, maximum, kNone);
}
