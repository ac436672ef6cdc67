#include "format.h"

#include <tuple>

namespace nlvc {

bool PictureFormat::operator==(const PictureFormat& o) const {
    auto all = [](const PictureFormat& f) {
        return std::tie(f.width, f.height, f.layout, f.alpha, f.depth, f.sx, f.sy, f.time_base_numerator,
                        f.time_base_denominator, f.name);
    };
    return all(*this) == all(o);
}

std::string PictureFormat::problem() const {
    auto outside = [](int64_t value, int64_t low, int64_t high, const char* what) {
        if (value >= low && value <= high) return std::string();
        return std::string(what) + " is " + std::to_string(value) + ", not " + std::to_string(low) + " to " +
               std::to_string(high);
    };
    const int subsampling = layout == Layout::kYuv ? 2 : 0;
    const int64_t ticks = INT32_MAX;
    for (const std::string& text :
         {outside(width, 1, kMaxSize, "width"), outside(height, 1, kMaxSize, "height"), outside(depth, 8, 16, "depth"),
          outside(sx, 0, subsampling, "horizontal subsampling"), outside(sy, 0, subsampling, "vertical subsampling"),
          outside(time_base_numerator, 1, ticks, "time base numerator"),
          outside(time_base_denominator, 1, ticks, "time base denominator"),
          outside(static_cast<int64_t>(name.size()), 0, 255, "length of the format name")})
        if (!text.empty()) return text;
    for (const char c : name)
        if (c < 0x20 || c > 0x7e) return "format name is not printable ASCII";
    return "";
}

PlaneGeometry PictureFormat::geometry(int p) const {
    const bool reduced = p == 1 || p == 2;
    return {width, height, reduced ? sx : 0, reduced ? sy : 0};
}

int PictureFormat::plane_width(int p) const {
    const int s = geometry(p).sx;
    return (width + (1 << s) - 1) >> s;
}

int PictureFormat::plane_height(int p) const {
    const int s = geometry(p).sy;
    return (height + (1 << s) - 1) >> s;
}

RowRange PictureFormat::slice_rows(int p, int slice, int count) const {
    const int s = geometry(p).sy;
    const int top = slice * slice_units() / count * kUnitRows;
    const int bottom = (slice + 1) * slice_units() / count * kUnitRows;
    return {top >> s, slice + 1 == count ? plane_height(p) : bottom >> s};
}

RowRange PictureFormat::slice_blocks(int slice, int count) const {
    const RowRange rows = slice_rows(0, slice, count);
    return {rows.top / kBlock, (rows.bottom + kBlock - 1) / kBlock};
}

int64_t PictureFormat::slice_samples(int slice, int count) const {
    int64_t sum = 0;
    for (int p = 0; p < planes(); ++p) sum += int64_t{plane_width(p)} * slice_rows(p, slice, count).count();
    return sum;
}

}  // namespace nlvc
