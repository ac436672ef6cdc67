#include "block_statistics.h"

#include <cmath>

#include "wavefront.h"

namespace nlvc {
namespace {

constexpr int kMaxRoot = 255;
constexpr int kMaxValue = 2047;  // kProductSamples squares of it stay within 32 bits

/// Weighted taps and residuals of a plane's blocks.
class StatisticsVisitor final : public BatchVisitor {
  public:
    StatisticsVisitor(const Kernels& kernels, const CodingSettings& settings, int inputs, int width, int height)
        : kernels_(kernels),
          settings_(settings),
          rows_(inputs + 1),
          columns_((width + kSetBlock - 1) / kSetBlock),
          blocks_(static_cast<size_t>(columns_) * ((height + kSetBlock - 1) / kSetBlock)) {}

    void visit(const BatchPosition& at, const BatchValues& values, uint16_t* samples) override {
        kernels_.mixture(values.outputs, values.mean, settings_.q, mixture_);
        for (int lane = 0; lane < at.count; ++lane) {
            const int x = at.x(lane, settings_.delta), y = at.y + lane;
            if (((x ^ y) & 1) == 0) take(values, lane, x, y, samples[lane]);
        }
    }

    std::vector<BlockStatistics> statistics(int top) const {
        std::vector<BlockStatistics> out(blocks_.size());
        for (size_t i = 0; i < blocks_.size(); ++i) {
            const Block& block = blocks_[i];
            BlockStatistics& s = out[i];
            s.x = static_cast<int>(i) % columns_ * kSetBlock;
            s.y = top + static_cast<int>(i) / columns_ * kSetBlock;
            s.products.assign(static_cast<size_t>(rows_) * (rows_ + 1) / 2, 0);
            s.right.assign(static_cast<size_t>(rows_), 0.0);
            if (block.count == 0) continue;
            kernels_.products(block.values.data(), rows_, s.products.data());
            for (int row = 0; row < rows_; ++row) {
                int64_t sum = 0;
                for (int k = 0; k < block.count; ++k)
                    sum += int64_t{block.values[static_cast<size_t>(row) * kProductSamples + k]} * block.residuals[k];
                s.right[row] = static_cast<double>(sum);
            }
        }
        return out;
    }

  private:
    struct Block {
        int count = 0;
        std::vector<int16_t> values;     ///< [row][kProductSamples]
        std::vector<int32_t> residuals;  ///< [kProductSamples]
    };

    void take(const BatchValues& values, int lane, int x, int y, int sample) {
        Block& block = blocks_[static_cast<size_t>(y / kSetBlock) * columns_ + x / kSetBlock];
        if (block.values.empty()) {
            block.values.assign(static_cast<size_t>(rows_) * kProductSamples, 0);
            block.residuals.assign(kProductSamples, 0);
        }
        // Centre and scale of the mixture, in units of 2^q samples relative to the mean.
        double centre = 0, scale = 0;
        for (int k = 0; k < kLogistics; ++k) {
            centre += mixture_.weight[k][lane] * static_cast<double>(mixture_.centre[k][lane]);
            scale += mixture_.weight[k][lane] * 2048.0 / mixture_.inverse[k][lane];
        }
        scale /= 1024;
        const double unit = 1 << settings_.q;
        const double residual = (sample * 32.0 - centre / 1024) / unit;  // 1/32
        const double size = std::max(std::fabs(residual) / 32, 2 * scale);
        const int root = std::min(kMaxRoot, std::max(1, static_cast<int>(kRootWeight / std::sqrt(scale * size))));
        int16_t* column = block.values.data() + block.count;
        for (int i = 0; i + 1 < rows_; ++i, column += kProductSamples)
            *column = weighted(values.taps[i / 4][lane][i % 4], root);
        *column = weighted(kConstantInput, root);
        block.residuals[block.count++] = static_cast<int32_t>(residual * root / (1 << kRootBits));
    }

    static int16_t weighted(int value, int root) {
        return static_cast<int16_t>(
            std::clamp((value * root + (1 << kRootBits >> 1)) >> kRootBits, -kMaxValue, kMaxValue));
    }

    const Kernels& kernels_;
    CodingSettings settings_;
    int rows_, columns_;
    std::vector<Block> blocks_;
    MixtureBatch mixture_;
};

}  // namespace

std::vector<BlockStatistics> collect_statistics(const FrameCoding& coding, int slice, int p) {
    const PictureFormat& format = coding.format;
    const CompiledNetwork& network = *coding.model.network(coding.settings.intra, format.plane_class(p));
    const RowRange rows = format.slice_rows(p, slice, coding.slices);
    const ContextPool::Lease lease(coding.contexts);
    PlaneContext& context = *lease;
    prepare_context(coding, slice, p, network, context);
    context.set(kCur, coding.frame.planes[p], rows.top, rows);
    StatisticsVisitor visitor(coding.model.kernels(), coding.settings, network.layer1.inputs, format.plane_width(p),
                              rows.count());
    run_plane(context, {coding.model.kernels(), network}, visitor);
    unskew(context.layout, context.errors[kErr], rows.top, coding.frame.errors[p]);
    return visitor.statistics(rows.top);
}

}  // namespace nlvc
