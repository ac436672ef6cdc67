// The skewed layout: the samples of a group side by side.
//
// The value of (x, y) of a slice stands at [g = x + δ*y][y], groups one after another without gaps, for all positions
// up to kReach outside the slice. So sixteen consecutive rows of a group are sixteen consecutive values, and what a tap
// (dx, dy) reads for them is again one run of sixteen, at [g + dx + δ*dy][y + dy]. A run may extend past the rows of
// its group into the next one, for rows that are not part of the slice: kLanes more values at the end keep that inside
// the buffer.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "lanes.h"
#include "model.h"
#include "plane.h"
#include "transpose.h"

namespace nlvc {

class SkewLayout {
  public:
    SkewLayout() = default;
    SkewLayout(int width, int height, int delta);

    int width() const { return width_; }
    int height() const { return height_; }
    int delta() const { return delta_; }
    /// Number of groups with samples of the slice; group g is 0 .. groups() - 1.
    int groups() const { return width_ + delta_ * (height_ - 1); }
    /// First row of group g inside the slice.
    int first_row(int g) const { return delta_ == 0 || g < width_ ? 0 : (g - width_ + delta_) / delta_; }
    /// Last row of group g inside the slice; before the first one where a narrow slice has no sample in the group.
    int last_row(int g) const { return delta_ == 0 ? height_ - 1 : std::min(height_ - 1, g / delta_); }
    /// Index of (g, row 0); (g, y) stands y further. g and y may be those of positions kReach outside the slice.
    ptrdiff_t group(int g) const { return *groups_from(g); }
    /// The same for g, and at [i] for g + i.
    const ptrdiff_t* groups_from(int g) const { return base_.data() + (g + kReach * (1 + delta_)); }
    /// Values in a buffer.
    size_t size() const { return size_; }

  private:
    int width_ = 0;
    int height_ = 0;
    int delta_ = 0;
    std::vector<ptrdiff_t> base_;
    size_t size_ = 0;
};

constexpr int kTurned = 8;  ///< rows and groups that are turned at once

/// Calls turn(g) for blocks of the groups g .. g + kTurned - 1 and single(g) for the other groups of [begin, end),
/// where rows [y0, y0 + kTurned) have all their samples inside the slice in the groups of a block. Blocks may overlap.
template <class Turn, class Single>
void for_groups(const SkewLayout& layout, int y0, bool whole, int begin, int end, Turn turn, Single single) {
    const int first = layout.delta() * (y0 + kTurned - 1), stop = layout.width() + layout.delta() * y0;
    const bool blocks = whole && stop - first >= kTurned;
    for (int g = begin; g < (blocks ? first : end); ++g) single(g);
    if (!blocks) return;
    for (int g = first; g < stop; g += kTurned) turn(std::min(g, stop - kTurned));
    for (int g = stop; g < end; ++g) single(g);
}

/// Copies rows [top, top + layout.height()) of `source` into the layout; positions outside are clamped to the columns
/// of the plane and to the rows [rows.top, rows.bottom). Samples in bytes become less by 128.
template <class T, class U>
void skew(const SkewLayout& layout, const Grid<T>& source, int top, RowRange rows, std::vector<U>& out) {
    out.resize(layout.size());
    const int w = layout.width(), h = layout.height(), delta = layout.delta();
    for (int y0 = -kReach; y0 < h + kReach; y0 += kTurned) {
        const int y1 = std::min(y0 + kTurned, h + kReach);
        const T* row[kTurned];
        for (int y = y0; y < y1; ++y) row[y - y0] = source.row(std::clamp(top + y, rows.top, rows.bottom - 1));
        auto turn = [&](int g) {
            const T* in[kTurned];
            U* to[kTurned];
            for (int i = 0; i < kTurned; ++i) {
                in[i] = row[i] + (g - delta * (y0 + i));
                to[i] = out.data() + layout.group(g + i) + y0;
            }
            transpose8(in, to);
        };
        auto single = [&](int g) {
            int first = y0, last = y1 - 1;
            if (delta != 0) {
                // -kReach <= g - δ*y < w + kReach
                const int above = g - (w + kReach - 1), below = g + kReach;
                if (above > delta * y0) first = (above - delta * y0 + delta - 1) / delta + y0;
                last = std::min(last, y0 + (below - delta * y0) / delta);
            }
            U* at = out.data() + layout.group(g);
            for (int y = first; y <= last; ++y) convert(row[y - y0][std::clamp(g - delta * y, 0, w - 1)], at[y]);
        };
        for_groups(layout, y0, y1 - y0 == kTurned, -kReach + delta * y0, w + kReach + delta * (y1 - 1), turn, single);
    }
}

/// Copies the slice back into rows [top, top + layout.height()) of `target`.
template <class T>
void unskew(const SkewLayout& layout, const std::vector<T>& values, int top, Grid<T>& target) {
    const int w = layout.width(), h = layout.height(), delta = layout.delta();
    for (int y0 = 0; y0 < h; y0 += kTurned) {
        const int y1 = std::min(y0 + kTurned, h);
        T* row[kTurned];
        for (int y = y0; y < y1; ++y) row[y - y0] = target.row(top + y);
        auto turn = [&](int g) {
            const T* in[kTurned];
            T* to[kTurned];
            for (int i = 0; i < kTurned; ++i) {
                in[i] = values.data() + layout.group(g + i) + y0;
                to[i] = row[i] + (g - delta * (y0 + i));
            }
            transpose8(in, to);
        };
        auto single = [&](int g) {
            const int first = std::max(y0, layout.first_row(g)), last = std::min(y1 - 1, layout.last_row(g));
            const T* at = values.data() + layout.group(g);
            for (int y = first; y <= last; ++y) row[y - y0][g - delta * y] = at[y];
        };
        for_groups(layout, y0, y1 - y0 == kTurned, delta * y0, w + delta * (y1 - 1), turn, single);
    }
}

}  // namespace nlvc
