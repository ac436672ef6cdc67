// Frames as applications hold them in memory, to coded planes and back (docs/bitstream.md section 11).
#pragma once
#include <array>

#include "c_api/pixel_formats.h"
#include "side_information.h"

namespace nlvc {

// Types of side information that belong to the memory layout (docs/bitstream.md section 9.1).
constexpr int kPaddingType = 4;
constexpr int kTrailingLumaType = 5;

/// Planes as they lie in memory.
struct MemoryPlanes {
    std::array<uint8_t*, kMaxPlanes> data{};
    std::array<ptrdiff_t, kMaxPlanes> strides{};  ///< bytes from row to row
};

/// What a frame holds.
struct FrameContents {
    std::vector<Plane> planes;     ///< in coding order
    std::optional<Plane> padding;  ///< the bits that belong to no sample, where they differ
    SideInformation side;          ///< such bits where they are equal everywhere, and luma beyond the picture
};

/// std::invalid_argument where a word has bits outside its sample: they would be lost.
FrameContents read_frame(const PixelFormat& format, int width, int height, const MemoryPlanes& memory);

/// The reverse; `planes` may end in a coded padding. BitstreamError when `side` does not fit.
void write_frame(const PixelFormat& format, const PictureFormat& picture, const std::vector<Plane>& planes,
                 const SideInformation& side, const MemoryPlanes& memory);

}  // namespace nlvc
