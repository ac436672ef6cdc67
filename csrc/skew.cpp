#include "skew.h"

namespace nlvc {

SkewLayout::SkewLayout(int width, int height, int delta) : width_(width), height_(height), delta_(delta) {
    // The same rule as for the slice itself, for the rectangle that reaches kReach further on all sides.
    const int w = width + 2 * kReach, h = height + 2 * kReach;
    ptrdiff_t next = 0;
    for (int g = 0; g < w + delta * (h - 1); ++g) {
        const int first = delta == 0 || g < w ? 0 : (g - w + delta) / delta;
        const int last = delta == 0 ? h - 1 : std::min(h - 1, g / delta);
        base_.push_back(next - first + kReach);
        next += std::max(0, last - first + 1);
    }
    size_ = static_cast<size_t>(next) + kLanes;
}

}  // namespace nlvc
