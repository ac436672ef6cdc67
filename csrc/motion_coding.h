// The motion vectors of a slice as bits (docs/bitstream.md section 8).
#pragma once
#include "format.h"
#include "motion.h"
#include "range_coder.h"

namespace nlvc {

/// Codes the vectors of block rows [rows.top, rows.bottom) of `field` (8x8 blocks, quarter samples): an encoder's coder
/// reads them, a decoder's fills them in.
void code_motion(BitCoder& coder, RowRange rows, MotionField& field);

}  // namespace nlvc
