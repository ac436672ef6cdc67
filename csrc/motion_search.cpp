#include "motion_search.h"

#include <cstdlib>
#include <limits>

namespace nlvc {
namespace {

constexpr int kCoarse = 4;       ///< the coarse search works on planes reduced by this factor
constexpr int kCoarseRange = 8;  ///< reach of the coarse search, reduced samples
constexpr int kNoLimit = std::numeric_limits<int>::max();
constexpr int kMaxSteps = 24;  ///< diamond steps of one search

Plane reduced(const Plane& source, int top, int bottom) {
    Plane out((source.width + kCoarse - 1) / kCoarse, (bottom - top + kCoarse - 1) / kCoarse);
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x) {
            int sum = 0;
            for (int j = 0; j < kCoarse; ++j)
                for (int i = 0; i < kCoarse; ++i) sum += source.clamped(x * kCoarse + i, top + y * kCoarse + j);
            out.at(x, y) = static_cast<uint16_t>(sum / (kCoarse * kCoarse));
        }
    return out;
}

/// About the bits that section 8 spends on one component of a vector difference.
int component_bits(int d) {
    int bits = 1;
    if (d == 0) return bits;
    bits += 2;
    for (unsigned v = static_cast<unsigned>(std::abs(d)); v > 1; v >>= 1) bits += 2;
    return bits;
}

struct Choice {
    Vector vector;  ///< quarter samples
    int64_t cost;   ///< difference plus weighted bits
};

/// Searches one block. Costs are differences in samples, plus `lambda` for each bit of the vector.
class BlockSearch {
  public:
    BlockSearch(const BlockKernels& kernels, const Plane& current, const Plane& reference, int depth, int x0, int y0,
                int w, int h, Vector predictor)
        : kernels_(kernels),
          current_(current),
          reference_(reference),
          maximum_((1 << depth) - 1),
          x0_(x0),
          y0_(y0),
          w_(w),
          h_(h),
          predictor_(predictor) {}

    void set_lambda(int lambda) { lambda_ = lambda; }
    const Choice& best() const { return best_; }

    int64_t bits_cost(Vector q) const {
        return static_cast<int64_t>(lambda_) *
               (component_bits(q.x - predictor_.x) + component_bits(q.y - predictor_.y));
    }

    /// The difference at vector q, or a number >= limit.
    int difference(Vector q, int limit) const {
        return block_difference(kernels_, current_, reference_, x0_, y0_, w_, h_, q, maximum_, limit);
    }

    void consider(Vector q) {
        if (std::abs(q.x) > kMaxVector || std::abs(q.y) > kMaxVector) return;
        const int64_t bits = bits_cost(q);
        if (tried_ && bits >= best_.cost) return;
        const int64_t room = tried_ ? best_.cost - bits : kNoLimit;
        take(q, difference(q, static_cast<int>(room)) + bits);
    }

    /// The full-sample position nearest to q.
    void consider_full(Vector q) {
        consider({static_cast<int16_t>((q.x + 2) & ~3), static_cast<int16_t>((q.y + 2) & ~3)});
    }

    /// Walks to a local minimum in steps of `step` quarter samples, all eight neighbours each time.
    void walk(int step, int most) {
        for (int i = 0; i < most; ++i) {
            const Vector c = best_.vector;
            int differences[9];
            const auto limit = static_cast<int>(std::min<int64_t>(best_.cost, kNoLimit));
            differences_around(kernels_, current_, reference_, x0_, y0_, w_, h_, c, step, maximum_, limit, differences);
            for (int n = 0; n < 9; ++n) {
                const Vector q{static_cast<int16_t>(c.x + (n % 3 - 1) * step),
                               static_cast<int16_t>(c.y + (n / 3 - 1) * step)};
                if (n != 4 && std::abs(q.x) <= kMaxVector && std::abs(q.y) <= kMaxVector)
                    take(q, differences[n] + bits_cost(q));
            }
            if (best_.vector == c) return;
        }
    }

    void refine() {
        walk(2, 2);
        walk(1, 2);
    }

  private:
    void take(Vector q, int64_t cost) {
        if (!tried_ || cost < best_.cost) best_ = {q, cost};
        tried_ = true;
    }

    const BlockKernels& kernels_;
    const Plane& current_;
    const Plane& reference_;
    int maximum_, x0_, y0_, w_, h_;
    Vector predictor_;
    int lambda_ = 1;
    bool tried_ = false;
    Choice best_{};
};

/// Best full-search vector of the reduced planes around each 16x16 block, in quarter samples of the full planes.
Vector coarse_vector(const BlockKernels& kernels, const Plane& current, const Plane& reference, int maximum, int x0,
                     int y0) {
    const int size = 2 * kOldBlock / kCoarse;
    const int x = std::clamp(x0 / kCoarse - size / 4, 0, std::max(0, current.width - size));
    const int y = std::clamp(y0 / kCoarse - size / 4, 0, std::max(0, current.height - size));
    const int w = std::min(size, current.width - x), h = std::min(size, current.height - y);
    int least = kNoLimit;
    Vector best;
    const int left = std::max(-kCoarseRange, -x), right = std::min(kCoarseRange, reference.width - w - x);
    const int above = std::max(-kCoarseRange, -y), below = std::min(kCoarseRange, reference.height - h - y);
    int differences[2 * kCoarseRange + 1];
    for (int dy = above; dy <= below; ++dy) {
        kernels.scan(current.row(y) + x, current.width, reference.row(y + dy) + x + left, reference.width, w, h,
                     maximum, right - left + 1, differences);
        for (int dx = left; dx <= right; ++dx) {
            const int d = differences[dx - left] + std::abs(dx) + std::abs(dy);
            if (d < least) {
                least = d;
                best = {static_cast<int16_t>(dx * kCoarse * 4), static_cast<int16_t>(dy * kCoarse * 4)};
            }
        }
    }
    return best;
}

}  // namespace

void search_motion(const BlockKernels& kernels, const Plane& current, const Plane& reference, const MotionField& past,
                   int depth, int top, int bottom, MotionField& field) {
    const Plane small_current = reduced(current, top, bottom), small_reference = reduced(reference, top, bottom);
    const int first_row = top / kBlock;
    for (int y0 = top; y0 < bottom; y0 += kOldBlock) {
        for (int x0 = 0; x0 < current.width; x0 += kOldBlock) {
            const int bx = x0 / kBlock, by = y0 / kBlock;
            const int w = std::min(kOldBlock, current.width - x0), h = std::min(kOldBlock, bottom - y0);
            const Vector predictor = predict_vector(field, bx, by, 2, first_row);
            BlockSearch whole(kernels, current, reference, depth, x0, y0, w, h, predictor);
            // One bit of motion is worth about half the mean difference: lossless cost grows as log2 of the residual's
            // scale, and the network makes up for a part of a wrong vector from the taps beside it.
            const int start = std::min(whole.difference({}, kNoLimit), whole.difference(predictor, kNoLimit));
            const int lambda = std::max(1, start / (2 * w * h));
            whole.set_lambda(lambda);
            whole.consider(predictor);
            whole.consider({});
            whole.consider_full(predictor);
            if (bx > 0) whole.consider(field.at(bx - 1, by));
            if (by > first_row) whole.consider(field.at(bx, by - 1));
            if (!past.vectors.empty()) whole.consider(past.at(bx, by));
            whole.consider_full(coarse_vector(kernels, small_current, small_reference, (1 << depth) - 1, x0, y0 - top));
            whole.walk(4, kMaxSteps);
            whole.refine();

            const int columns = std::min(2, field.columns - bx), rows = std::min(2, field.rows - by);
            for (int j = 0; j < rows; ++j)
                for (int i = 0; i < columns; ++i) field.at(bx + i, by + j) = whole.best().vector;
            // Splitting is tried on the field itself, so that each quarter sees the true predictors of the one before.
            Vector quarters[2][2];
            int64_t split_cost = 2 * lambda;
            for (int j = 0; j < rows && split_cost < whole.best().cost; ++j)
                for (int i = 0; i < columns; ++i) {
                    const int x = x0 + i * kBlock, y = y0 + j * kBlock;
                    BlockSearch part(kernels, current, reference, depth, x, y, std::min(kBlock, current.width - x),
                                     std::min(kBlock, bottom - y), predict_vector(field, bx + i, by + j, 1, first_row));
                    part.set_lambda(lambda);
                    part.consider(whole.best().vector);
                    if (bx + i > 0) part.consider(field.at(bx + i - 1, by + j));
                    if (by + j > first_row) part.consider(field.at(bx + i, by + j - 1));
                    part.walk(4, 4);
                    part.refine();
                    quarters[j][i] = field.at(bx + i, by + j) = part.best().vector;
                    split_cost += part.best().cost;
                }
            const bool split = split_cost < whole.best().cost;
            for (int j = 0; j < rows; ++j)
                for (int i = 0; i < columns; ++i)
                    field.at(bx + i, by + j) = split ? quarters[j][i] : whole.best().vector;
        }
    }
}

}  // namespace nlvc
