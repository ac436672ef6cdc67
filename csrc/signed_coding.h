// Signed numbers as adaptive bits (docs/bitstream.md sections 5.1 and 8): zero, sign, then |d| - 1 as Exp-Golomb code
// of order 0.
#pragma once
#include <cstdlib>

#include "range_coder.h"

namespace nlvc {

struct SignedContexts {
    AdaptiveBit& sign;
    AdaptiveBit* prefix;  ///< most + 1 of them, by position
};

/// Codes d, as BitCoder does in one of both directions.
/// @param zero    an AdaptiveBit or a CountingBit
/// @param most    bits of the longest suffix
/// @param error   what a longer one is
/// @param suffix  (length of the suffix, weight of the bit) -> its context
template <class Zero, class Suffix>
int code_signed(BitCoder& coder, Zero& zero, const SignedContexts& c, int most, const char* error, Suffix suffix,
                int d) {
    if (coder.code(d == 0, zero) == 1) return 0;
    const int negative = coder.code(d < 0, c.sign);
    const unsigned magnitude = static_cast<unsigned>(std::abs(d));  // |d| - 1 in Exp-Golomb: |d| without its top bit
    int length = 0;
    while (coder.code(magnitude >> (length + 1) != 0, c.prefix[length]) == 1)
        if (++length > most) throw BitstreamError(error);
    int value = 1;
    for (int i = length - 1; i >= 0; --i)
        value = value * 2 + coder.code(static_cast<int>(magnitude >> i & 1), suffix(length, i));
    return negative == 1 ? -value : value;
}

}  // namespace nlvc
