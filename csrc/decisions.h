// What the encoder decides and no decoder needs to know.
#pragma once
#include "format.h"
#include "plane.h"
#include "thread_pool.h"

namespace nlvc {

/// About one slice for each 144 rows, an even number so that two threads have the same to do; one below 216 rows, at
/// most 8.
int automatic_slices(const PictureFormat& format);

/// The sample shift at which a keyframe's luma looks to the networks like 8-bit video: finer for cleaner material.
int choose_shift(const Plane& luma, int depth);

/// How much worse `prediction` (plane 0 of ref1_sub) explains the frame than its own neighbourhood does: 0 for a
/// picture that stands still; above 1 a keyframe should start here.
double scene_change(const Plane& current, const Plane& prediction, int depth, ThreadPool& pool);

/// How much of a plane flags for repeats (docs/bitstream.md section 7.1) may tell.
struct Repetition {
    double same;  ///< share of samples that equal the displaced ones of the frame before, in an I-frame both their left
                  ///< and their upper neighbour
    double doubled;  ///< by how much more often every other column, or row, repeats, as doubled chroma does; 0..1
};

/// @param reference  displaced samples of the frame before; nullptr in an I-frame
/// @param base       what repeats is the difference to this plane; nullptr: the samples
Repetition find_repetition(const Plane& current, const Plane* reference, const Plane* base, RowRange rows);

constexpr int kMaxEffort = 9;

/// Whether corrections are fitted to the frame that is `position` frames after its keyframe.
bool is_fitted(int effort, int64_t position);

}  // namespace nlvc
