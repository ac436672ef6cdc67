// Pixel formats by FFmpeg's names: which planes they code and where those lie in memory (docs/bitstream.md sections 1
// and 11).
#pragma once
#include <optional>
#include <string>

#include "format.h"

namespace nlvc {

/// Where the samples of one coded plane lie in memory: sample x of a row in the byte or word at offset + x * step.
struct Component {
    int plane;   ///< in memory
    int step;    ///< bytes from sample to sample
    int offset;  ///< bytes
    int shift;   ///< bits below the sample in its byte or word
    int depth;   ///< bits
    bool alone;  ///< no other sample has bits in the byte or word

    int word_bytes() const { return shift + depth <= 8 ? 1 : 2; }
    /// The byte or word is the sample, with nothing but zeros above it.
    bool whole() const { return alone && shift == 0; }
};

/// A plane in memory: bytes of its largest step and log2 of its horizontal subsampling.
struct MemoryPlane {
    int step;
    int sx;
};

/// Up to four items, as a constant without code.
template <class T>
struct Few {
    int count;
    T items[kMaxPlanes];

    size_t size() const { return static_cast<size_t>(count); }
    const T& operator[](size_t i) const { return items[i]; }
    const T* begin() const { return items; }
    const T* end() const { return items + count; }
};

struct PixelFormat {
    const char* name;
    Layout layout;
    int depth, sx, sy;
    bool alpha;
    bool big_endian;
    Few<Component> components;         ///< in coding order
    std::optional<Component> padding;  ///< bits that belong to no sample
    Few<MemoryPlane> memory;

    /// The format as the codec sees it. @param coded_padding  the padding is coded in the place of alpha
    PictureFormat picture(int width, int height, int64_t time_base_numerator, int64_t time_base_denominator,
                          bool coded_padding = false) const;
    /// Rows end in a luma sample beyond the picture: packed 4:2:2 of odd width.
    bool trailing_luma(int width) const { return sx == 1 && components[0].plane == components[1].plane && width % 2; }
    size_t row_bytes(int memory_plane, int width) const;
    int rows(int memory_plane, int height) const;
};

/// pixel_format_table.cpp is written by tools/make_pixel_formats.py.
extern const PixelFormat kPixelFormats[];
extern const int kPixelFormatCount;

/// std::invalid_argument when the format is not supported.
const PixelFormat& pixel_format(const std::string& name);

}  // namespace nlvc
