// A sample that is known not to have some values: its distribution without them (docs/bitstream.md section 7.1).
#pragma once
#include <array>

#include "mixture.h"

namespace nlvc {

/// Up to two values, ascending.
struct Excluded {
    int count = 0;
    std::array<int, 2> values{};

    void add(int value) {
        values[count++] = value;
        if (count == 2 && values[0] > values[1]) std::swap(values[0], values[1]);
    }
};

void encode_without(RangeEncoder& coder, const Distribution& distribution, const Excluded& excluded, int sample);
int decode_without(RangeDecoder& coder, const Distribution& distribution, const Excluded& excluded);

}  // namespace nlvc
