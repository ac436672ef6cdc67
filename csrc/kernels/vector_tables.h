// The tables of section 6 in the shapes that vector instructions look them up in.
#pragma once
#include <cstdint>

#include "tables.h"

namespace nlvc {

struct VectorTables {
    alignas(64) int32_t exp[256];
    int32_t scale[256];
    int32_t inverse_scale[256];
    alignas(64) uint16_t tail[128];
    alignas(64) uint16_t delta[128];
    alignas(64) uint16_t shift[128];
    int32_t tail_delta[128];  ///< tail | delta << 16
    int32_t shift_words[128];
};

/// Made from the normative tables at load time; the tables are constants, so the order of initialisation does not
/// matter.
extern const VectorTables kVectorTables;

}  // namespace nlvc
