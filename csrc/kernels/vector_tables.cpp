#include "kernels/vector_tables.h"

namespace nlvc {
namespace {

VectorTables make_tables() {
    VectorTables t{};
    for (int i = 0; i < 256; ++i) {
        t.exp[i] = t.exp_words[i] = kExp[i];
        t.scale_words[i] = kScale[i];
        t.inverse_words[i] = kInverseScale[i];
        t.scale_inverse[i] = static_cast<int32_t>(kScale[i] | static_cast<uint32_t>(kInverseScale[i]) << 16);
    }
    for (int i = 0; i < 128; ++i) {
        const uint32_t tail = kTail[i].tail, delta = kTail[i].delta, shift = kTail[i].shift + 3u;
        t.top[i] = static_cast<uint16_t>(tail - 1);
        t.fall[i] = static_cast<uint16_t>(-delta);
        t.shift[i] = static_cast<uint16_t>(shift);
        // 1 <= tail <= 2^15, delta < 2^12, shift < 2^5
        t.segment[i] = static_cast<int32_t>((tail - 1) | delta << 15 | shift << 27);
    }
    return t;
}

}  // namespace

const VectorTables kVectorTables = make_tables();

}  // namespace nlvc
