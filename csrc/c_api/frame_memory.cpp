#include "c_api/frame_memory.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "error.h"

namespace nlvc {
namespace {

/// Bytes and words of one component. kBytes is 1 or 2.
template <int kBytes, bool kBigEndian>
struct Words {
    static uint16_t load(const uint8_t* at) {
        if (kBytes == 1) return at[0];
        return static_cast<uint16_t>(kBigEndian ? at[0] << 8 | at[1] : at[0] | at[1] << 8);
    }
    static void merge(uint8_t* at, unsigned word) {
        at[kBytes == 2 && kBigEndian ? 1 : 0] |= static_cast<uint8_t>(word);
        if (kBytes == 2) at[kBigEndian ? 0 : 1] |= static_cast<uint8_t>(word >> 8);
    }
    static void store(uint8_t* at, unsigned word) {
        at[kBytes == 2 && kBigEndian ? 1 : 0] = static_cast<uint8_t>(word);
        if (kBytes == 2) at[kBigEndian ? 0 : 1] = static_cast<uint8_t>(word >> 8);
    }
    /// Copies samples and returns all bits that stood in the words.
    static unsigned read(const uint8_t* from, const Component& c, int count, uint16_t* to) {
        const unsigned maximum = (1u << c.depth) - 1;
        unsigned seen = 0;
        for (int x = 0; x < count; ++x, from += c.step) {
            const unsigned word = load(from);
            seen |= word;
            to[x] = static_cast<uint16_t>(word >> c.shift & maximum);
        }
        return seen;
    }
    static void write(const uint16_t* from, const Component& c, int count, uint8_t* to) {
        if (c.whole())
            for (int x = 0; x < count; ++x, to += c.step) store(to, from[x]);
        else
            for (int x = 0; x < count; ++x, to += c.step) merge(to, static_cast<unsigned>(from[x]) << c.shift);
    }
};

unsigned read_row(const PixelFormat& format, const Component& c, const uint8_t* from, int count, uint16_t* to) {
    if (c.word_bytes() == 2)
        return format.big_endian ? Words<2, true>::read(from, c, count, to) : Words<2, false>::read(from, c, count, to);
    if (c.step == 1 && c.depth == 8) {
        std::copy_n(from, count, to);
        return 0;
    }
    return Words<1, false>::read(from, c, count, to);
}

void write_row(const PixelFormat& format, const Component& c, const uint16_t* from, int count, uint8_t* to) {
    if (c.word_bytes() == 2)
        format.big_endian ? Words<2, true>::write(from, c, count, to) : Words<2, false>::write(from, c, count, to);
    else if (c.step == 1)
        std::copy_n(from, count, to);
    else
        Words<1, false>::write(from, c, count, to);
}

uint8_t* row_at(const MemoryPlanes& memory, const Component& c, int y) {
    return memory.data[c.plane] + y * memory.strides[c.plane] + c.offset;
}

/// The component of the luma sample after the last one of a row.
Component beyond(const PixelFormat& format, int width) {
    Component c = format.components[0];
    c.offset += width * c.step;
    return c;
}

Plane read_plane(const PixelFormat& format, const Component& c, int width, int height, const MemoryPlanes& memory,
                 unsigned* seen) {
    Plane plane(width, height);
    for (int y = 0; y < height; ++y) *seen |= read_row(format, c, row_at(memory, c, y), width, plane.row(y));
    return plane;
}

void write_plane(const PixelFormat& format, const Component& c, const Plane& plane, const MemoryPlanes& memory) {
    for (int y = 0; y < plane.height; ++y) write_row(format, c, plane.row(y), plane.width, row_at(memory, c, y));
}

void read_padding(const PixelFormat& format, int width, int height, const MemoryPlanes& memory, FrameContents& out) {
    unsigned seen = 0;
    if (format.padding) {
        Plane padding = read_plane(format, *format.padding, width, height, memory, &seen);
        const uint16_t first = padding.at(0, 0);
        const auto& values = padding.values;
        if (std::all_of(values.begin(), values.end(), [first](uint16_t v) { return v == first; })) {
            if (first != 0) out.side[kPaddingType] = {static_cast<uint8_t>(first), static_cast<uint8_t>(first >> 8)};
        } else {
            if (*std::max_element(values.begin(), values.end()) >> format.depth != 0)
                throw std::invalid_argument(std::string("the unused words of ") + format.name +
                                            " hold different values above its depth");
            out.padding = std::move(padding);
        }
    }
    if (format.trailing_luma(width)) {
        const Plane column = read_plane(format, beyond(format, width), 1, height, memory, &seen);
        if (std::all_of(column.values.begin(), column.values.end(), [](uint16_t v) { return v == 0; })) return;
        Bytes& bytes = out.side[kTrailingLumaType];
        for (const uint16_t v : column.values) {
            // The whole word, of which the sample may be the upper part.
            const unsigned word = static_cast<unsigned>(v) << format.components[0].shift;
            bytes.push_back(static_cast<uint8_t>(word));
            if (format.components[0].word_bytes() == 2) bytes.push_back(static_cast<uint8_t>(word >> 8));
        }
    }
}

void write_padding(const PixelFormat& format, const PictureFormat& picture, const SideInformation& side,
                   const MemoryPlanes& memory) {
    const auto constant = side.find(kPaddingType);
    if (format.padding && constant != side.end()) {
        if (constant->second.size() != 2) throw BitstreamError("the side information on padding is damaged");
        const auto value = static_cast<uint16_t>(constant->second[0] | constant->second[1] << 8);
        write_plane(format, *format.padding, Plane(picture.width, picture.height, value), memory);
    }
    const auto trailing = side.find(kTrailingLumaType);
    if (!format.trailing_luma(picture.width) || trailing == side.end()) return;
    const int word_bytes = format.components[0].word_bytes();
    if (trailing->second.size() != static_cast<size_t>(picture.height) * static_cast<size_t>(word_bytes))
        throw BitstreamError("the stored luma beyond the picture has another number of rows");
    Plane column(1, picture.height);
    for (int y = 0; y < picture.height; ++y) {
        const uint8_t* at = trailing->second.data() + static_cast<size_t>(y) * static_cast<size_t>(word_bytes);
        const unsigned word = word_bytes == 1 ? at[0] : static_cast<unsigned>(at[0] | at[1] << 8);
        *column.row(y) = static_cast<uint16_t>(word >> format.components[0].shift);
    }
    write_plane(format, beyond(format, picture.width), column, memory);
}

}  // namespace

FrameContents read_frame(const PixelFormat& format, int width, int height, const MemoryPlanes& memory) {
    const PictureFormat picture = format.picture(width, height, 1, 1);
    FrameContents out;
    for (int p = 0; p < picture.planes(); ++p) {
        const Component& c = format.components[p];
        unsigned seen = 0;
        out.planes.push_back(read_plane(format, c, picture.plane_width(p), picture.plane_height(p), memory, &seen));
        const unsigned own = ((1u << c.depth) - 1) << c.shift;
        if (c.alone && format.depth != 8 && format.depth != 16 && (seen & ~own) != 0)
            throw std::invalid_argument("plane " + std::to_string(p) + " has a word with bits outside the " +
                                        std::to_string(c.depth) + " that " + format.name +
                                        " keeps: they would be lost");
    }
    read_padding(format, width, height, memory, out);
    return out;
}

void write_frame(const PixelFormat& format, const PictureFormat& picture, const std::vector<Plane>& planes,
                 const SideInformation& side, const MemoryPlanes& memory) {
    const auto whole = [](const Component& c) { return c.whole(); };
    if (format.padding || format.trailing_luma(picture.width) ||
        !std::all_of(format.components.begin(), format.components.end(), whole))
        for (size_t m = 0; m < format.memory.size(); ++m)
            for (int y = 0; y < format.rows(static_cast<int>(m), picture.height); ++y)
                std::memset(memory.data[m] + y * memory.strides[m], 0,
                            format.row_bytes(static_cast<int>(m), picture.width));
    for (size_t p = 0; p < format.components.size(); ++p) write_plane(format, format.components[p], planes[p], memory);
    if (planes.size() > format.components.size()) write_plane(format, *format.padding, planes.back(), memory);
    write_padding(format, picture, side, memory);
}

}  // namespace nlvc
