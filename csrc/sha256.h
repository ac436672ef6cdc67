// SHA-256 (FIPS 180-4): names model files.
#pragma once
#include <array>
#include <string>

#include "bytes.h"

namespace nlvc {

using Hash = std::array<uint8_t, 32>;

Hash sha256(ByteView bytes);
/// 64 lower-case hexadecimal digits.
std::string hex(const Hash& hash);

}  // namespace nlvc
