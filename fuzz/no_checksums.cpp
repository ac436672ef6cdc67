// In place of csrc/crc32c.cpp: mutated bytes must not stop at the checksums.
#include "crc32c.h"

namespace nlvc {

uint32_t crc32c(const void*, size_t, uint32_t) { return 0; }

}  // namespace nlvc
