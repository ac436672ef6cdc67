#include "c_api/pixel_formats.h"

#include <algorithm>
#include <stdexcept>

namespace nlvc {
namespace {

int rounded_up(int size, int shift) { return (size + (1 << shift) - 1) >> shift; }

}  // namespace

PictureFormat PixelFormat::picture(int width, int height, int64_t time_base_numerator, int64_t time_base_denominator,
                                   bool coded_padding) const {
    return {width, height, layout, alpha || coded_padding, depth, sx, sy, time_base_numerator, time_base_denominator,
            name};
}

size_t PixelFormat::row_bytes(int memory_plane, int width) const {
    const MemoryPlane& plane = memory[memory_plane];
    return static_cast<size_t>(plane.step) * static_cast<size_t>(rounded_up(width, plane.sx));
}

int PixelFormat::rows(int memory_plane, int height) const {
    const bool subsampled = layout == Layout::kYuv && (memory_plane == 1 || memory_plane == 2);
    return subsampled ? rounded_up(height, sy) : height;
}

const PixelFormat& pixel_format(const std::string& name) {
    const PixelFormat* end = kPixelFormats + kPixelFormatCount;
    const PixelFormat* found = std::find_if(kPixelFormats, end, [&](const PixelFormat& f) { return f.name == name; });
    if (found == end) throw std::invalid_argument("pixel format '" + name + "' is not supported");
    return *found;
}

}  // namespace nlvc
