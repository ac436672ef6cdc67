// What samples cost, by place: for analysis, no decoder needs it.
#pragma once
#include "context.h"
#include "format.h"

namespace nlvc {

/// Bits of all planes together in each block of 16x16 samples of plane 0; slices own whole rows of blocks.
using BlockBits = Grid<float>;
constexpr int kBlockBitsSize = 16;

/// A grid of zeros for pictures of the format.
BlockBits make_block_bits(const PictureFormat& format);

/// Adds samples of one plane of one slice to a grid.
class BlockBitsRecorder {
  public:
    /// @param bits  may be null: nothing is recorded
    BlockBitsRecorder(BlockBits* bits, const PictureFormat& format, int plane, int top, int delta)
        : bits_(bits), geometry_(format.geometry(plane)), top_(top), delta_(delta) {}

    /// The samples of a batch with their intervals of the range coder.
    void add(const BatchPosition& at, const uint32_t* low, const uint32_t* high);
    /// One sample, (x, y) from the top of the slice.
    void add(int x, int y, double bits) { block(x, top_ + y) += static_cast<float>(bits); }
    /// Whether anything is recorded.
    bool active() const { return bits_ != nullptr; }
    /// All samples of `rows` of the plane, each of `bits` bits.
    void add_raw(RowRange rows, int columns, int bits);

  private:
    float& block(int x, int y);

    BlockBits* bits_;
    PlaneGeometry geometry_;
    int top_;
    int delta_;
};

}  // namespace nlvc
