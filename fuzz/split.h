// How an input of several packets is cut: each after its size in two bytes, the last one as long as it is.
#pragma once
#include "bytes.h"

namespace nlvc {

template <class Use>
void for_each_packet(ByteView input, Use use) {
    while (input.size > 2) {
        size_t size = input.data[0] | input.data[1] << 8;
        input = {input.data + 2, input.size - 2};
        if (size > input.size) size = input.size;
        use(ByteView(input.data, size));
        input = {input.data + size, input.size - size};
    }
}

}  // namespace nlvc
