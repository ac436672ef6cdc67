#include "c_api/pixel_formats.h"

#include <algorithm>
#include <stdexcept>

namespace nlvc {
namespace {

/// Planar formats that differ in depth alone: `name` at 8 bits, else `name`, the depth and "le".
struct Family {
    const char* name;
    Layout layout;
    int sx, sy;
    bool alpha;
    std::vector<int> depths;
};

const std::vector<Family> kFamilies = {
    {"gray", Layout::kGrey, 0, 0, false, {8, 9, 10, 12, 14, 16}},
    {"yuv420p", Layout::kYuv, 1, 1, false, {8, 9, 10, 12, 14, 16}},
    {"yuv422p", Layout::kYuv, 1, 0, false, {8, 9, 10, 12, 14, 16}},
    {"yuv444p", Layout::kYuv, 0, 0, false, {8, 9, 10, 12, 14, 16}},
    {"yuv440p", Layout::kYuv, 0, 1, false, {8, 10, 12}},
    {"yuv411p", Layout::kYuv, 2, 0, false, {8}},
    {"yuv410p", Layout::kYuv, 2, 2, false, {8}},
    {"yuvj420p", Layout::kYuv, 1, 1, false, {8}},
    {"yuvj422p", Layout::kYuv, 1, 0, false, {8}},
    {"yuvj444p", Layout::kYuv, 0, 0, false, {8}},
    {"yuvj440p", Layout::kYuv, 0, 1, false, {8}},
    {"yuvj411p", Layout::kYuv, 2, 0, false, {8}},
    {"yuva420p", Layout::kYuv, 1, 1, true, {8, 9, 10, 16}},
    {"yuva422p", Layout::kYuv, 1, 0, true, {8, 9, 10, 12, 16}},
    {"yuva444p", Layout::kYuv, 0, 0, true, {8, 9, 10, 12, 16}},
    {"gbrp", Layout::kRgb, 0, 0, false, {8, 9, 10, 12, 14, 16}},
    {"gbrap", Layout::kRgb, 0, 0, true, {8, 10, 12, 14, 16}},
};

PixelFormat planar(const Family& family, int depth) {
    PixelFormat format;
    format.name = depth == 8 ? family.name : family.name + std::to_string(depth) + "le";
    format.picture.layout = family.layout;
    format.picture.alpha = family.alpha;
    format.picture.depth = depth;
    format.picture.sx = family.sx;
    format.picture.sy = family.sy;
    format.picture.name = format.name;
    format.memory_planes = format.picture.planes();
    for (int p = 0; p < kMaxPlanes; ++p) format.components[p] = {p, 0, format.picture.sample_bytes()};
    return format;
}

std::vector<PixelFormat> make_formats() {
    std::vector<PixelFormat> formats;
    for (const Family& family : kFamilies)
        for (const int depth : family.depths) formats.push_back(planar(family, depth));
    return formats;
}

/// Samples of one or two bytes, the second one the higher.
template <int kBytes>
void read_row(const uint8_t* from, int step, int count, uint16_t* to) {
    for (int x = 0; x < count; ++x, from += step)
        to[x] = kBytes == 1 ? from[0] : static_cast<uint16_t>(from[0] | from[1] << 8);
}

template <int kBytes>
void write_row(const uint16_t* from, int step, int count, uint8_t* to) {
    for (int x = 0; x < count; ++x, to += step) {
        to[0] = static_cast<uint8_t>(from[x]);
        if (kBytes == 2) to[1] = static_cast<uint8_t>(from[x] >> 8);
    }
}

}  // namespace

const std::vector<PixelFormat>& pixel_formats() {
    static const std::vector<PixelFormat> formats = make_formats();
    return formats;
}

const PixelFormat& pixel_format(const std::string& name) {
    const auto& all = pixel_formats();
    const auto found = std::find_if(all.begin(), all.end(), [&](const PixelFormat& f) { return f.name == name; });
    if (found == all.end()) throw std::invalid_argument("pixel format '" + name + "' is not supported");
    return *found;
}

PlaneExtent plane_extent(const PixelFormat& format, const PictureFormat& picture, int memory_plane) {
    PlaneExtent extent{0, 0};
    for (int p = 0; p < picture.planes(); ++p) {
        const Component& c = format.components[p];
        if (c.plane != memory_plane) continue;
        const size_t columns = static_cast<size_t>(picture.plane_width(p));
        // A pixel's bytes end together, whatever the place of the component within it.
        extent.row_bytes = std::max(extent.row_bytes, columns * static_cast<size_t>(c.step));
        extent.rows = picture.plane_height(p);
    }
    return extent;
}

std::vector<Plane> read_planes(const PixelFormat& format, const PictureFormat& picture, const MemoryPlanes& memory) {
    std::vector<Plane> planes;
    for (int p = 0; p < picture.planes(); ++p) {
        const Component& c = format.components[p];
        Plane plane(picture.plane_width(p), picture.plane_height(p));
        for (int y = 0; y < plane.height; ++y) {
            const uint8_t* row = memory.data[c.plane] + y * memory.strides[c.plane] + c.offset;
            if (picture.sample_bytes() == 2)
                read_row<2>(row, c.step, plane.width, plane.row(y));
            else if (c.step == 1)
                std::copy_n(row, plane.width, plane.row(y));
            else
                read_row<1>(row, c.step, plane.width, plane.row(y));
        }
        planes.push_back(std::move(plane));
    }
    return planes;
}

void write_planes(const PixelFormat& format, const std::vector<Plane>& planes, const MemoryPlanes& memory) {
    for (size_t p = 0; p < planes.size(); ++p) {
        const Component& c = format.components[p];
        const Plane& plane = planes[p];
        for (int y = 0; y < plane.height; ++y) {
            uint8_t* row = memory.data[c.plane] + y * memory.strides[c.plane] + c.offset;
            if (format.picture.sample_bytes() == 2)
                write_row<2>(plane.row(y), c.step, plane.width, row);
            else if (c.step == 1)
                std::copy_n(plane.row(y), plane.width, row);
            else
                write_row<1>(plane.row(y), c.step, plane.width, row);
        }
    }
}

}  // namespace nlvc
