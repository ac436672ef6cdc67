// What a decoder could not decode, for those who go on despite it (docs/bitstream.md section 9.2).
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace nlvc {

enum class DamageKind : uint8_t {
    kDamaged,    ///< the packet's own bytes are not what the encoder wrote
    kDependent,  ///< the bytes are right; the samples rest on others that are not
    kMissing,    ///< frames before this one are missing
};

struct Damage {
    DamageKind kind = DamageKind::kDamaged;
    int slice = -1;     ///< -1: the whole frame
    size_t offset = 0;  ///< of the slice's payload in the packet, bytes; 0 for the whole frame
    std::string what;   ///< in words
};

}  // namespace nlvc
