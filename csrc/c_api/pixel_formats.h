// Pixel formats by FFmpeg's names: which planes they code and where those lie in memory (docs/bitstream.md section 1).
#pragma once
#include <array>
#include <string>
#include <vector>

#include "format.h"

namespace nlvc {

/// Where the samples of one coded plane lie in memory: sample x of a row stands at byte offset + x * step.
struct Component {
    int plane;   ///< in memory
    int offset;  ///< bytes
    int step;    ///< bytes from sample to sample
};

struct PixelFormat {
    std::string name;
    PictureFormat picture;  ///< without size and time base
    int memory_planes;
    std::array<Component, kMaxPlanes> components;  ///< by coded plane
};

/// All supported formats, in a fixed order.
const std::vector<PixelFormat>& pixel_formats();
/// std::invalid_argument when the format is not supported.
const PixelFormat& pixel_format(const std::string& name);

/// The extent of a plane in memory.
struct PlaneExtent {
    size_t row_bytes;
    int rows;
};
PlaneExtent plane_extent(const PixelFormat& format, const PictureFormat& picture, int memory_plane);

/// Planes in memory, as the application has them. Samples above 8 bits are little-endian.
struct MemoryPlanes {
    std::array<uint8_t*, kMaxPlanes> data{};
    std::array<ptrdiff_t, kMaxPlanes> strides{};  ///< bytes from row to row
};

/// Copies coded planes out of memory and into memory.
std::vector<Plane> read_planes(const PixelFormat& format, const PictureFormat& picture, const MemoryPlanes& memory);
void write_planes(const PixelFormat& format, const std::vector<Plane>& planes, const MemoryPlanes& memory);

}  // namespace nlvc
