// CRC-32C (Castagnoli polynomial 0x1EDC6F41, reflected), as in iSCSI (RFC 3720): "123456789" gives 0xE3069283.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nlvc {

/// The checksum of `size` bytes that follow bytes of checksum `initial` (0: none).
uint32_t crc32c(const void* data, size_t size, uint32_t initial = 0);

}  // namespace nlvc
