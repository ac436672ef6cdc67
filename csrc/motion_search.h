// The encoder's choice of motion vectors. Not normative: any field decodes.
#pragma once
#include "motion.h"

namespace nlvc {

/// The motion from `current` to `reference` (plane 0), quarter samples in 8x8 blocks, chosen by difference plus an
/// estimate of the vector's bits. Rows [top, bottom) (multiples of 16 or the plane's end) are searched and predicted as
/// one slice.
/// @param past  the field of the previous frame, tried as a candidate; may be empty
void search_motion(const BlockKernels& kernels, const Plane& current, const Plane& reference, const MotionField& past,
                   int depth, int top, int bottom, MotionField& field);

}  // namespace nlvc
