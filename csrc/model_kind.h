// Which codec a model file is for.
#pragma once
#include <algorithm>

#include "bytes.h"

namespace nlvc {

/// Whether it holds the transformer of docs/diffusion.md, which pynlvc runs in PyTorch.
inline bool is_transformer(ByteView file) {
    constexpr uint8_t kMagic[] = {'N', 'L', 'V', 'D'};
    return file.size >= 4 && std::equal(kMagic, kMagic + 4, file.data);
}

}  // namespace nlvc
