// What the encoder decides and no decoder needs to know.
#pragma once
#include "format.h"
#include "plane.h"

namespace nlvc {

/// About one slice for each 144 rows, 1 to 8.
int automatic_slices(const PictureFormat& format);

/// The sample shift at which a keyframe's luma looks to the networks like 8-bit video: finer for cleaner material.
int choose_shift(const Plane& luma, int depth);

/// How much worse `prediction` (plane 0 of ref1_sub) explains the frame than its own neighbourhood does: 0 for a
/// picture that stands still; above 1 a keyframe should start here.
double scene_change(const Plane& current, const Plane& prediction, int depth);

/// Whether flags for repeats (docs/bitstream.md section 7.1) are worth a try: a quarter of the samples of a plane equal
/// the displaced ones of the frame before (`reference`), in an I-frame (nullptr) both their left and their upper
/// neighbour; or every other column or row repeats often, as doubled chroma does. `base`: what it repeats in is the
/// difference to this plane.
bool repeats(const Plane& current, const Plane* reference, const Plane* base, RowRange rows);

constexpr int kMaxEffort = 9;

/// Whether corrections are fitted to the frame that is `position` frames after its keyframe.
bool is_fitted(int effort, int64_t position);

}  // namespace nlvc
