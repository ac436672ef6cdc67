// The inner loops of motion compensation and search, for several instruction sets (docs/bitstream.md section 3).
#pragma once
#include <cstdint>

namespace nlvc {

constexpr int kBlock = 8;      ///< motion block of plane 0, samples
constexpr int kOldBlock = 16;  ///< block of the older references, samples; the largest that these functions take
constexpr int kFilterTaps = 4;

/// Three displacements in each direction: the first sample that a filter reads, counted from `source`, and the filter.
struct Displacements {
    int x[3], y[3];  ///< 0 .. 2
    const int* filter_x[3];
    const int* filter_y[3];
};

struct BlockKernels {
    /// `out` = w x h samples filtered in both directions; `source` is the sample left above the first.
    void (*interpolate)(const uint16_t* source, int source_stride, int w, int h, const int* filter_x,
                        const int* filter_y, int maximum, uint16_t* out, int out_stride);
    /// Sum of absolute differences of two w x h blocks, or any number >= limit if it is not below limit (> 0).
    /// @param maximum  no sample is larger
    int (*difference)(const uint16_t* a, int a_stride, const uint16_t* b, int b_stride, int w, int h, int maximum,
                      int limit);
    /// The same for block `a` and what `interpolate` makes of `source`.
    int (*displaced_difference)(const uint16_t* a, int a_stride, const uint16_t* source, int source_stride, int w,
                                int h, const int* filter_x, const int* filter_y, int maximum, int limit);
    /// The same for all pairs of displacements but the middle one: out[3 * j + i] for x[i] and y[j].
    void (*around)(const uint16_t* a, int a_stride, const uint16_t* source, int source_stride, int w, int h,
                   const Displacements& at, int maximum, int limit, int* out);
    /// Sums of absolute differences to the `count` blocks at b, b + 1, ...
    void (*scan)(const uint16_t* a, int a_stride, const uint16_t* b, int b_stride, int w, int h, int maximum, int count,
                 int* out);
};

}  // namespace nlvc
