// The geometry of a picture and of its slices (docs/bitstream.md sections 1 and 2).
#pragma once
#include <cstdint>
#include <string>

#include "motion.h"

namespace nlvc {

constexpr int kMaxSize = 16384;   ///< largest width or height, samples
constexpr int kMaxPlanes = 4;     ///< Y, U, V, alpha
constexpr int kUnitRows = 16;     ///< rows of plane 0 in a slice unit
constexpr int kMaxSlices = 255;   ///< in a frame
constexpr int kPlaneClasses = 5;  ///< 0 no guide; 1, 2 planes 1, 2 of YUV; 3, 4 planes 1, 2 of RGB

/// How many planes before it a plane of the class sees.
constexpr int guides_of(int plane_class) { return plane_class > 2 ? plane_class - 2 : plane_class; }

enum class Layout : uint8_t { kGrey = 0, kYuv = 1, kRgb = 2 };

/// Rows [top, bottom) of a plane.
struct RowRange {
    int top;
    int bottom;
    int count() const { return bottom - top; }
};

struct PictureFormat {
    int width = 0;   ///< plane 0, samples, 1 .. 16384
    int height = 0;  ///< plane 0, samples, 1 .. 16384
    Layout layout = Layout::kYuv;
    bool alpha = false;
    int depth = 8;                    ///< bits of a sample, 8 .. 16
    int sx = 0;                       ///< log2 of the horizontal subsampling of planes 1 and 2, 0 .. 2
    int sy = 0;                       ///< log2 of the vertical subsampling
    int64_t time_base_numerator = 1;  ///< seconds per tick = numerator / denominator, each 1 .. 2^31 - 1
    int64_t time_base_denominator = 1;
    std::string name;  ///< how the application calls the sample layout, up to 255 printable ASCII characters

    bool operator==(const PictureFormat& o) const;
    bool operator!=(const PictureFormat& o) const { return !(*this == o); }
    /// What is wrong with the values, or an empty string.
    std::string problem() const;

    int planes() const { return (layout == Layout::kGrey ? 1 : 3) + (alpha ? 1 : 0); }
    int maximum() const { return (1 << depth) - 1; }
    int sample_bytes() const { return depth == 8 ? 1 : 2; }  ///< in raw slices and checksums
    int plane_class(int p) const {
        if (layout == Layout::kGrey || p == 0 || p > 2) return 0;
        return layout == Layout::kRgb ? p + 2 : p;
    }
    int guides(int p) const { return guides_of(plane_class(p)); }
    PlaneGeometry geometry(int p) const;
    int plane_width(int p) const;
    int plane_height(int p) const;
    int64_t plane_samples(int p) const { return int64_t{plane_width(p)} * plane_height(p); }

    int slice_units() const { return (height + kUnitRows - 1) / kUnitRows; }
    /// The rows of plane p in slice `slice` of `count`.
    RowRange slice_rows(int p, int slice, int count) const;
    /// The rows of 8x8 motion blocks in a slice.
    RowRange slice_blocks(int slice, int count) const;
    /// Samples of all planes in a slice.
    int64_t slice_samples(int slice, int count) const;
};

}  // namespace nlvc
