#include "kernels/vector_tables.h"

namespace nlvc {
namespace {

VectorTables make_tables() {
    VectorTables t{};
    for (int i = 0; i < 256; ++i) {
        t.exp[i] = kExp[i];
        t.scale[i] = kScale[i];
        t.inverse_scale[i] = kInverseScale[i];
    }
    for (int i = 0; i < 128; ++i) {
        t.tail[i] = kTail[i].tail;
        t.delta[i] = kTail[i].delta;
        t.shift[i] = kTail[i].shift;
        t.tail_delta[i] = static_cast<int32_t>(kTail[i].tail | static_cast<uint32_t>(kTail[i].delta) << 16);
        t.shift_words[i] = kTail[i].shift;
    }
    return t;
}

}  // namespace

const VectorTables kVectorTables = make_tables();

}  // namespace nlvc
