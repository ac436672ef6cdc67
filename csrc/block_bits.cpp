#include "block_bits.h"

#include <algorithm>
#include <cmath>

#include "range_coder.h"

namespace nlvc {

BlockBits make_block_bits(const PictureFormat& format) {
    const auto blocks = [](int samples) { return (samples + kBlockBitsSize - 1) / kBlockBitsSize; };
    return BlockBits(blocks(format.width), blocks(format.height));
}

float& BlockBitsRecorder::block(int x, int y) {
    // Of a subsampled plane the last column and row may reach past those of plane 0.
    const int column = std::min((x << geometry_.sx) / kBlockBitsSize, bits_->width - 1);
    const int row = std::min((y << geometry_.sy) / kBlockBitsSize, bits_->height - 1);
    return bits_->at(column, row);
}

void BlockBitsRecorder::add(const BatchPosition& at, const uint32_t* low, const uint32_t* high) {
    if (bits_ == nullptr) return;
    for (int lane = 0; lane < at.count; ++lane)
        block(at.x(lane, delta_), top_ + at.y + lane) +=
            kProbabilityBits - std::log2(static_cast<float>(high[lane] - low[lane]));
}

void BlockBitsRecorder::add_raw(RowRange rows, int columns, int bits) {
    if (bits_ == nullptr) return;
    for (int y = rows.top; y < rows.bottom; ++y)
        for (int x = 0; x < columns; ++x) block(x, y) += static_cast<float>(bits);
}

}  // namespace nlvc
