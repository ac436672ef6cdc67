// One plane of one slice, its networks evaluated by an Accelerator: whole planes at once where all samples are known,
// else group by group.
#pragma once
#include "wavefront.h"

namespace nlvc {

/// Does what run_plane does.
void run_plane_accelerated(PlaneContext& context, const Evaluator& evaluator, BatchVisitor& visitor);

}  // namespace nlvc
