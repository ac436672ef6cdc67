// The tables of section 6 in the shapes that vector instructions look them up in.
#pragma once
#include <cstdint>

#include "tables.h"

namespace nlvc {

struct VectorTables {
    alignas(64) int32_t exp[256];
    int32_t scale_inverse[256];  ///< scale | inverse scale << 16
    alignas(64) uint16_t exp_words[256];
    alignas(64) uint16_t scale_words[256];
    alignas(64) uint16_t inverse_words[256];
    alignas(64) uint16_t top[128];     ///< TAIL - 1
    alignas(64) uint16_t fall[128];    ///< -DELTA
    alignas(64) uint16_t shift[128];   ///< SHIFT + 3, the whole shift of t_k
    alignas(64) int32_t segment[128];  ///< tail - 1 | delta << 15 | (SHIFT + 3) << 27
    // Numbers that an instruction takes from memory while all registers hold tables.
    int32_t farthest = 24574;                   ///< largest distance
    int32_t last = 32767;                       ///< largest u
    int32_t whole = 1 << 21;                    ///< one, in the units of t_k
    int32_t one = 256;                          ///< a whole step of TAIL in the units of its fraction
    int32_t ones = 256 << 16 | 256;             ///< the same in both words
    int32_t fractions = 255 << 16 | 255;        ///< u & 255 in both words
    int32_t upper_indices = 1 << 30 | 1 << 14;  ///< set in u where its index is in the upper half of a table
};

/// Made from the normative tables at load time; the tables are constants, so the order of initialisation does not
/// matter.
extern const VectorTables kVectorTables;

}  // namespace nlvc
