// What the encoder decides and no decoder needs to know.
#pragma once
#include "format.h"

namespace nlvc {

/// About one slice for each 144 rows, 1 to 8.
int automatic_slices(const PictureFormat& format);

/// The sample shift at which a keyframe's luma looks to the networks like 8-bit video: finer for cleaner material.
int choose_shift(const Plane& luma, int depth);

/// How much worse `prediction` (plane 0 of ref1_sub) explains the frame than its own neighbourhood does: 0 for a
/// picture that stands still; above 1 a keyframe should start here.
double scene_change(const Plane& current, const Plane& prediction, int depth);

constexpr int kMaxEffort = 9;

/// Whether corrections are fitted to the frame that is `position` frames after its keyframe.
bool is_fitted(int effort, int64_t position);

}  // namespace nlvc
