// The kernels for vector instruction sets, written once over a set of primitives.
//
// The including file defines, in its own anonymous namespace, the primitives on sixteen lanes of 32 bits (`I32`; its
// bytes are also read as four 8-bit values a lane) and then includes this file, which is compiled with that file's
// flags only:
//
// clang-format off
//     kRows                              outputs of a dense layer that are accumulated side by side, a multiple of 4
//     set(v) load(p) store(p, a)         int32_t, p needs no alignment
//     load_u16(p)                        sixteen uint16_t, widened
//     load_u8(p)                         sixteen bytes, widened
//     store_bytes(p, a)                  int8_t, lanes that fit
//     add sub mul min max band bor bxor  lane by lane; mul keeps the low 32 bits
//     sll srl sra (a, n)                 shifts by one number, srl_by sra_by (a, b) by one for each lane
//     absolute(a)                        |a|
//     less(a, b)                         a `Mask` of the lanes where a < b (signed)
//     both(m, n) keep(m, a)              masks: m and n; a where m is set, else 0
//     blend(m, a, b)                     b where m is set, else a
//     adds_u8(a, b)                      saturating addition of bytes
//     dot4(acc, x, w)                    acc += 4 unsigned bytes of x times 4 signed bytes of the word *w, |w| <= 64
//     dot4_wide(acc, x, w)               the same for any signed bytes
//     dot4_each(acc, x, w)               the same with the word of w's lane
//     pick(table, index)                 int32_t table[index], index 0 .. 7
//     bytes4(a, b, c, d)                 clip(a, 0, 255) | clip(b, 0, 255) << 8 | ... of c << 16 | ... of d << 24
//     quotient(a, b)                     floor(a / b) of non-negative integers below 2^24
//     exp_of(index)                      EXP of section 6, index 0 .. 255
//     scales_of(index)                   `Scales` of SCALE and INV, index 0 .. 255
//     tail(u)                            t_k of section 6 for min(u, 32767), u >= 0, 2^-21
//     tails(u, v)                        both, as a `Two`
//     store_turned(columns, rows)        rows[l][j] = columns[j] in lane l, eight columns
//     reached(p, unit, code)             bit l: unit * p[l] <= code, for eight uint32_t
// clang-format on
// and on rows of sixteen 16-bit integers (`Row`), beside those of row_blocks.h,
// clang-format off
//     row_sra(a, n) row_and(a, b)
//     row_bytes(p)                       sixteen int8_t, widened
//     row_words(a)                       sixteen lanes that fit 16 bits
//     row_keep(m, a)                     a where the mask m is set, else 0
//     taps4(a, b, c, d)                  four rows as the bytes of sixteen lanes, each clip(v, -127, 127)
// clang-format on
// and on four times sixteen bytes (`Bytes4`),
// clang-format off
//     load_bytes4(a, b, c, d)            four rows of int8_t
//     repeat_bytes(p)                    the same row four times
//     bytes_or(a, b)
//     byte_mask(m)                       a `Mask` as a `ByteMask` of sixteen bytes
//     all_bytes(is)                      a ByteMask of ones or zeros
//     both_bytes(m, n)                   m and n
//     bytes_keep(v, a, b, c, d)          a row where its mask is set, else 0
//     bytes_sub(a, b)                    saturating
//     bytes_abs(a)                       |max(a, -127)|
//     turn_bytes(a)                      the rows as the bytes of sixteen lanes, each max(v, -127)
// clang-format on
//
// and, for batches of at most eight samples,
// clang-format off
//     twice(a)                           lanes 0 .. 7 in both halves
//     store_turned8(columns, rows)       rows[l][j] = columns[j / 2] in lane l + 8 * (j % 2), for l < 8, j < 8
// clang-format on
//
// All functions give the integers of network.h and mixture.h (tests/test_kernels.py).

using Words = const int32_t*;

constexpr int kSignBytes = static_cast<int>(0x80808080u);  // adds 128 to four signed bytes: they become unsigned

alignas(64) constexpr int32_t kLaneNumbers[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

constexpr int fours(int n) { return (n + 3) / 4; }
inline int least(int a, int b) { return a < b ? a : b; }
inline int most(int a, int b) { return a > b ? a : b; }

void pack(CompiledNetwork& n) { pack_words(n, kRows); }

// Each builds on those before it.
// clang-format off
#include "kernels/vector_distribution.h"
#include "kernels/vector_search.h"
#include "kernels/vector_open.h"
#include "kernels/vector_network.h"
#include "kernels/vector_bytes.h"
#include "kernels/vector_taps.h"
#include "kernels/vector_transformer.h"
// clang-format on

/// @param half  the table for at most kLanes / 2 samples, or nullptr
constexpr Kernels table(const Kernels* half) {
    return {kName,  pack,   gather,       stage1,   correct,           means,  stage2, mixture, sample_bounds, open,
            finish, errors, &kBlockTable, products, transformer_dense, attend, half};
}
