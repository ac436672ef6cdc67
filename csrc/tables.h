// The normative constants of the distribution (docs/bitstream.md section 6). tables.cpp is written by
// tools/make_tables.py.
#pragma once
#include <cstdint>

namespace nlvc {

extern const uint16_t kExp[256];           ///< EXP: 4096 exp(-i/32)
extern const uint16_t kScale[256];         ///< SCALE: logistic scale in 1/64 sample
extern const uint16_t kInverseScale[256];  ///< INV: 2048 / scale in samples

/// One eighth of a unit of the logistic tail: TAIL, DELTA and SHIFT for the same index.
struct TailSegment {
    uint16_t tail;
    uint16_t delta;
    uint16_t shift;
};
extern const TailSegment kTail[128];

}  // namespace nlvc
