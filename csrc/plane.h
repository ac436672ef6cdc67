// A rectangle of values: samples (uint16_t, whatever the bit depth) or prediction errors (int8_t).
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nlvc {

template <class T>
struct Grid {
    int width = 0;   ///< columns
    int height = 0;  ///< rows
    std::vector<T> values;

    Grid() = default;
    Grid(int w, int h, T fill = T{}) : width(w), height(h), values(static_cast<size_t>(w) * h, fill) {}

    T* row(int y) { return values.data() + static_cast<size_t>(y) * width; }
    const T* row(int y) const { return values.data() + static_cast<size_t>(y) * width; }
    T& at(int x, int y) { return row(y)[x]; }
    T at(int x, int y) const { return row(y)[x]; }
    /// The value at the nearest position inside the grid.
    T clamped(int x, int y) const { return at(std::clamp(x, 0, width - 1), std::clamp(y, 0, height - 1)); }
    bool empty() const { return values.empty(); }
};

using Plane = Grid<uint16_t>;     ///< samples, [0, 2^depth)
using ErrorPlane = Grid<int8_t>;  ///< prediction errors in quarter samples (docs/bitstream.md section 5)

}  // namespace nlvc
