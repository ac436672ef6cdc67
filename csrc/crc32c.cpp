#include "crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace nlvc {
namespace {

constexpr int kStride = 8;  ///< bytes that one step takes

/// table[k][b]: the effect of byte b that is followed by k more bytes of the same step.
struct Tables {
    std::array<std::array<uint32_t, 256>, kStride> table{};

    constexpr Tables() {
        for (uint32_t b = 0; b < 256; ++b) {
            uint32_t crc = b;
            for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0u);
            table[0][b] = crc;
        }
        for (int k = 1; k < kStride; ++k)
            for (uint32_t b = 0; b < 256; ++b) table[k][b] = (table[k - 1][b] >> 8) ^ table[0][table[k - 1][b] & 0xff];
    }
};

constexpr Tables kTables;

/// @param crc  complement of the checksum so far; the result is one too
uint32_t with_tables(const uint8_t* p, size_t size, uint32_t crc) {
    const auto& t = kTables.table;
    for (; size >= kStride; size -= kStride, p += kStride) {
        crc ^= p[0] | p[1] << 8 | p[2] << 16 | static_cast<uint32_t>(p[3]) << 24;
        crc = t[7][crc & 0xff] ^ t[6][crc >> 8 & 0xff] ^ t[5][crc >> 16 & 0xff] ^ t[4][crc >> 24] ^ t[3][p[4]] ^
              t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]];
    }
    for (; size > 0; --size, ++p) crc = (crc >> 8) ^ t[0][(crc ^ *p) & 0xff];
    return crc;
}

#if defined(__x86_64__)
/// The same with the instruction that nearly all of these processors have.
__attribute__((target("sse4.2"))) uint32_t with_instruction(const uint8_t* p, size_t size, uint32_t crc) {
    uint64_t wide = crc;
    for (; size >= kStride; size -= kStride, p += kStride) {
        uint64_t word;
        std::memcpy(&word, p, kStride);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = static_cast<uint32_t>(wide);
    for (; size > 0; --size, ++p) crc = _mm_crc32_u8(crc, *p);
    return crc;
}
#endif

}  // namespace

uint32_t crc32c(const void* data, size_t size, uint32_t initial) {
    const auto* p = static_cast<const uint8_t*>(data);
#if defined(__x86_64__)
    static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) return ~with_instruction(p, size, ~initial);
#endif
    return ~with_tables(p, size, ~initial);
}

}  // namespace nlvc
