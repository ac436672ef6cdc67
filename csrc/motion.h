// Motion vectors, motion compensation and the older references that the decoder locates by itself
// (docs/bitstream.md section 3). Everything here is normative; the encoder's search is in motion_search.h.
#pragma once
#include <array>
#include <vector>

#include "kernels/block_kernels.h"
#include "plane.h"

namespace nlvc {

struct Vector {
    int16_t x = 0;
    int16_t y = 0;
    bool operator==(const Vector& o) const { return x == o.x && y == o.y; }
};

constexpr int kMaxVector = 4 * 64 + 3;  ///< largest |component|, quarter samples
constexpr int kReferences = 4;          ///< frames t-1 .. t-4

/// One vector for each block of `block` x `block` samples of plane 0, raster order.
struct MotionField {
    int block = kBlock;
    int columns = 0;
    int rows = 0;
    std::vector<Vector> vectors;

    MotionField() = default;
    MotionField(int width, int height, int block_size);
    Vector& at(int bx, int by) { return vectors[static_cast<size_t>(by) * columns + bx]; }
    const Vector& at(int bx, int by) const { return vectors[static_cast<size_t>(by) * columns + bx]; }
    /// The vector of the block that holds plane 0 position (x, y).
    const Vector& of_sample(int x, int y) const { return at(x / block, y / block); }
};

/// Quarter-sample vectors -> full samples, `(mv + 2) >> 2`.
MotionField to_integer(const MotionField& quarter);

/// Size and subsampling of the plane that is compensated; (width, height) are those of plane 0.
struct PlaneGeometry {
    int width;
    int height;
    int sx;  ///< log2 of the horizontal subsampling, 0..2
    int sy;
};

/// `ref1_sub`: `reference` (on the grid of `geometry`) displaced by quarter-sample vectors, rows [top, bottom) of the
/// result written.
void compensate_subsample(const BlockKernels& kernels, const Plane& reference, const MotionField& quarter,
                          const PlaneGeometry& geometry, int depth, int top, int bottom, Plane& out);

/// The w x h block (at most 16x16) of `reference` at (x0, y0) displaced by (ex, ey) eighths of a sample.
void interpolate_block(const BlockKernels& kernels, const Plane& reference, int x0, int y0, int w, int h, int ex,
                       int ey, int maximum, uint16_t* out, int stride);

/// Differences of the w x h block of `own` at (x0, y0) to `reference` displaced by the eight vectors `step` quarter
/// samples (at most 4) around v, out[3 * j + i] for (v.x + (i - 1) * step, v.y + (j - 1) * step); any number >= limit
/// instead of one that is not below limit.
void differences_around(const BlockKernels& kernels, const Plane& own, const Plane& reference, int x0, int y0, int w,
                        int h, Vector v, int step, int maximum, int limit, int* out);

/// The difference of the w x h block of `own` at (x0, y0) to `reference` displaced by v quarter samples, or a number
/// >= limit.
int block_difference(const BlockKernels& kernels, const Plane& own, const Plane& reference, int x0, int y0, int w,
                     int h, Vector v, int maximum, int limit);

/// What a vector is coded against (section 8).
/// @param w          width of the coded block in 8x8 units: 2 without split, else 1
/// @param first_row  first 8x8 row of the slice
Vector predict_vector(const MotionField& field, int bx, int by, int w, int first_row);

/// A plane of samples or errors displaced by full-sample vectors of plane 0, rows [top, bottom) of the result written.
void compensate_integer(const Plane& reference, const MotionField& integer, const PlaneGeometry& geometry, int top,
                        int bottom, Plane& out);
void compensate_integer(const ErrorPlane& reference, const MotionField& integer, const PlaneGeometry& geometry, int top,
                        int bottom, ErrorPlane& out);

/// Locates frame t-k (k >= 2) from what is decoded. All vectors are quarter samples; the result has 16x16 blocks.
/// @param prediction  plane 0 of `ref1_sub`
/// @param reference   plane 0 of frame t-k
/// @param current     8x8 field of frame t (to t-1)
/// @param newer       vectors v_{k-1}: the 8x8 field itself for k = 2, a 16x16 field for more
/// @param passed      8x8 field that frame t-k+1 was sent with; empty for a keyframe
/// @param field       receives the vectors, rows [top, bottom) of its blocks
void locate_older(const BlockKernels& kernels, const Plane& prediction, const Plane& reference, int depth,
                  const MotionField& current, const MotionField& newer, const MotionField& passed, int top, int bottom,
                  MotionField& field);

}  // namespace nlvc
