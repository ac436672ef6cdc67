#include "motion.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <type_traits>

namespace nlvc {
namespace {

constexpr int kTaps[8][4] = {{0, 64, 0, 0},    {-3, 62, 6, -1},  {-5, 56, 15, -2}, {-5, 47, 25, -3},
                             {-4, 36, 36, -4}, {-3, 25, 47, -5}, {-2, 15, 56, -5}, {-1, 6, 62, -3}};

int eighths(int quarter, int subsampling) {
    if (subsampling == 0) return quarter * 2;
    if (subsampling == 1) return quarter;
    return (quarter + 1) >> 1;
}

int subsampled(int full, int subsampling) { return (full + ((1 << subsampling) >> 1)) >> subsampling; }

/// Calls visit(x0, x1, y0, y1, vector) for rectangles of at most kOldBlock columns that share a vector, inside rows
/// [top, bottom) of the plane: blocks, or several side by side.
template <class Visit>
void for_each_block(const MotionField& field, const PlaneGeometry& g, int plane_width, int top, int bottom,
                    Visit visit) {
    for (int y = top; y < bottom;) {
        const int by = std::min(y << g.sy, g.height - 1) / field.block;
        int y1 = y + 1;
        while (y1 < bottom && std::min(y1 << g.sy, g.height - 1) / field.block == by) ++y1;
        auto column = [&](int x) { return std::min(x << g.sx, g.width - 1) / field.block; };
        auto end_of = [&](int bx) { return bx + 1 < field.columns ? (bx + 1) * field.block >> g.sx : plane_width; };
        for (int x = 0; x < plane_width;) {
            int bx = column(x);
            const Vector v = field.at(bx, by);
            int x1 = end_of(bx);
            while (x1 < plane_width && end_of(bx + 1) - x <= kOldBlock && field.at(bx + 1, by) == v) x1 = end_of(++bx);
            visit(x, x1, y, y1, v);
            x = x1;
        }
        y = y1;
    }
}

/// The (w + extra_x) x (h + extra_y) samples from (x, y) of `source`, clamped, as a pointer and a stride.
template <class T, int kSize>
struct Window {
    T buffer[kSize * kSize];
    const T* data;
    int stride;

    Window(const Grid<T>& source, int x, int y, int w, int h) {
        if (x >= 0 && y >= 0 && x + w <= source.width && y + h <= source.height) {
            data = source.row(y) + x;
            stride = source.width;
            return;
        }
        const int left = std::clamp(-x, 0, w), right = std::clamp(x + w - source.width, 0, w - left);
        const int inside = w - left - right, first = std::clamp(x, 0, source.width - 1);
        for (int j = 0; j < h; ++j) {
            const T* row = source.row(std::clamp(y + j, 0, source.height - 1));
            T* to = std::fill_n(buffer + j * kSize, left, row[0]);
            to = std::copy_n(row + first, inside, to);
            std::fill_n(to, right, row[source.width - 1]);
        }
        data = buffer;
        stride = kSize;
    }
};

/// Copies whole blocks as one or two registers, others value by value.
template <class T>
void copy_rows(const T* from, int from_stride, int w, int h, T* to, int to_stride) {
    auto rows = [&](auto width) {
        for (int y = 0; y < h; ++y) std::copy_n(from + y * from_stride, width, to + y * to_stride);
    };
    if (w == kOldBlock)
        rows(std::integral_constant<int, kOldBlock>());
    else if (w == kBlock)
        rows(std::integral_constant<int, kBlock>());
    else if (w == kBlock / 2)
        rows(std::integral_constant<int, kBlock / 2>());
    else
        rows(w);
}

template <class T>
void displace(const Grid<T>& reference, const MotionField& integer, const PlaneGeometry& g, int top, int bottom,
              Grid<T>& out) {
    for_each_block(integer, g, reference.width, top, bottom, [&](int x0, int x1, int y0, int y1, Vector v) {
        const Window<T, kOldBlock> w(reference, x0 + subsampled(v.x, g.sx), y0 + subsampled(v.y, g.sy), x1 - x0,
                                     y1 - y0);
        copy_rows(w.data, w.stride, x1 - x0, y1 - y0, out.row(y0) + x0, out.width);
    });
}

/// The vector rounded to full samples, each component within 128 samples.
Vector full_sample(int x, int y) {
    auto rounded = [](int v) { return static_cast<int16_t>(std::clamp((v + 2) & ~3, -512, 512)); };
    return {rounded(x), rounded(y)};
}

}  // namespace

MotionField::MotionField(int width, int height, int block_size)
    : block(block_size),
      columns((width + block_size - 1) / block_size),
      rows((height + block_size - 1) / block_size),
      vectors(static_cast<size_t>(columns) * rows) {}

MotionField to_integer(const MotionField& quarter) {
    MotionField out = quarter;
    for (Vector& v : out.vectors) v = {static_cast<int16_t>((v.x + 2) >> 2), static_cast<int16_t>((v.y + 2) >> 2)};
    return out;
}

void compensate_subsample(const BlockKernels& kernels, const Plane& reference, const MotionField& quarter,
                          const PlaneGeometry& g, int depth, int top, int bottom, Plane& out) {
    const int maximum = (1 << depth) - 1;
    for_each_block(quarter, g, reference.width, top, bottom, [&](int x0, int x1, int y0, int y1, Vector v) {
        const int ex = eighths(v.x, g.sx), ey = eighths(v.y, g.sy);
        interpolate_block(kernels, reference, x0, y0, x1 - x0, y1 - y0, ex, ey, maximum, out.row(y0) + x0, out.width);
    });
}

void compensate_integer(const Plane& reference, const MotionField& integer, const PlaneGeometry& g, int top, int bottom,
                        Plane& out) {
    displace(reference, integer, g, top, bottom, out);
}

void compensate_integer(const ErrorPlane& reference, const MotionField& integer, const PlaneGeometry& g, int top,
                        int bottom, ErrorPlane& out) {
    displace(reference, integer, g, top, bottom, out);
}

void interpolate_block(const BlockKernels& kernels, const Plane& reference, int x0, int y0, int w, int h, int ex,
                       int ey, int maximum, uint16_t* out, int stride) {
    const Window<uint16_t, kOldBlock + kFilterTaps - 1> source(reference, x0 + (ex >> 3) - 1, y0 + (ey >> 3) - 1,
                                                               w + kFilterTaps - 1, h + kFilterTaps - 1);
    if ((ex & 7) == 0 && (ey & 7) == 0) {
        copy_rows(source.data + source.stride + 1, source.stride, w, h, out, stride);
        return;
    }
    kernels.interpolate(source.data, source.stride, w, h, kTaps[ex & 7], kTaps[ey & 7], maximum, out, stride);
}

int block_difference(const BlockKernels& kernels, const Plane& own, const Plane& reference, int x0, int y0, int w,
                     int h, Vector v, int maximum, int limit) {
    const uint16_t* samples = own.row(y0) + x0;
    const int x = x0 + (v.x >> 2), y = y0 + (v.y >> 2);
    const bool inside = x >= 0 && y >= 0 && x + w <= reference.width && y + h <= reference.height;
    if ((v.x & 3) == 0 && (v.y & 3) == 0 && inside)
        return kernels.difference(samples, own.width, reference.row(y) + x, reference.width, w, h, maximum, limit);
    const int ex = v.x * 2, ey = v.y * 2;
    const Window<uint16_t, kOldBlock + kFilterTaps - 1> source(reference, x0 + (ex >> 3) - 1, y0 + (ey >> 3) - 1,
                                                               w + kFilterTaps - 1, h + kFilterTaps - 1);
    if ((ex & 7) == 0 && (ey & 7) == 0)
        return kernels.difference(samples, own.width, source.data + source.stride + 1, source.stride, w, h, maximum,
                                  limit);
    return kernels.displaced_difference(samples, own.width, source.data, source.stride, w, h, kTaps[ex & 7],
                                        kTaps[ey & 7], maximum, limit);
}

void differences_around(const BlockKernels& kernels, const Plane& own, const Plane& reference, int x0, int y0, int w,
                        int h, Vector v, int step, int maximum, int limit, int* out) {
    Displacements at;
    // The first sample that the filters of all three read.
    auto place = [&](int component, int* offset, const int** filter) {
        const int first = (component - step) * 2 >> 3;
        for (int i = 0; i < 3; ++i) {
            const int e = (component + (i - 1) * step) * 2;
            offset[i] = (e >> 3) - first;
            filter[i] = kTaps[e & 7];
        }
        return first - 1;
    };
    const int x = place(v.x, at.x, at.filter_x), y = place(v.y, at.y, at.filter_y);
    const Window<uint16_t, kOldBlock + kFilterTaps + 1> source(reference, x0 + x, y0 + y, w + kFilterTaps - 1 + at.x[2],
                                                               h + kFilterTaps - 1 + at.y[2]);
    kernels.around(own.row(y0) + x0, own.width, source.data, source.stride, w, h, at, maximum, limit, out);
}

Vector predict_vector(const MotionField& field, int bx, int by, int w, int first_row) {
    const bool has_left = bx > 0, has_above = by > first_row;
    const Vector left = has_left ? field.at(bx - 1, by) : Vector{};
    if (!has_above) return left;
    const Vector above = field.at(bx, by - 1);
    // In the lower half of a 16x16 block only its own right upper quarter is coded before its right neighbour.
    const bool right_is_coded = bx + w < field.columns && (by % 2 == 0 || bx % 2 == 0);
    Vector corner;
    if (right_is_coded)
        corner = field.at(bx + w, by - 1);
    else if (has_left)
        corner = field.at(bx - 1, by - 1);
    auto median = [](int a, int b, int c) {
        return static_cast<int16_t>(std::max(std::min(a, b), std::min(std::max(a, b), c)));
    };
    return {median(left.x, above.x, corner.x), median(left.y, above.y, corner.y)};
}

void locate_older(const BlockKernels& kernels, const Plane& prediction, const Plane& reference, int depth,
                  const MotionField& current, const MotionField& newer, const MotionField& passed, int top, int bottom,
                  MotionField& field) {
    const int width = prediction.width, height = prediction.height, maximum = (1 << depth) - 1;
    for (int by = top; by < bottom; ++by) {
        for (int bx = 0; bx < field.columns; ++bx) {
            const int x0 = bx * kOldBlock, y0 = by * kOldBlock;
            const int w = std::min(kOldBlock, width - x0), h = std::min(kOldBlock, height - y0);
            const int cx = std::min(x0 + kOldBlock / 2, width - 1), cy = std::min(y0 + kOldBlock / 2, height - 1);
            const Vector v1 = current.of_sample(cx, cy), v = newer.of_sample(cx, cy);
            Vector step;
            if (!passed.vectors.empty())
                step = passed.of_sample(std::clamp(cx + ((v.x + 2) >> 2), 0, width - 1),
                                        std::clamp(cy + ((v.y + 2) >> 2), 0, height - 1));
            const std::array<Vector, 4> candidates = {full_sample(v.x + step.x, v.y + step.y), full_sample(v.x, v.y),
                                                      Vector{}, full_sample(v.x + v1.x, v.y + v1.y)};
            Vector best;
            int least = std::numeric_limits<int>::max();
            auto take = [&](Vector c, int d) {
                if (d < least) least = d, best = c;
            };
            // A vector that was tried before cannot win again: it is left out.
            for (size_t i = 0; i < candidates.size(); ++i)
                if (std::find(candidates.begin(), candidates.begin() + i, candidates[i]) == candidates.begin() + i)
                    take(candidates[i],
                         block_difference(kernels, prediction, reference, x0, y0, w, h, candidates[i], maximum, least));
            bool settled = false;  // a round of full samples found nothing better: another one would not
            for (const int reach : {4, 4, 2, 1}) {
                const Vector centre = best;
                if (reach == 4 && settled) continue;
                if (least == 0) break;  // nothing is strictly better
                int d[9];
                differences_around(kernels, prediction, reference, x0, y0, w, h, centre, reach, maximum, least, d);
                for (int i = 0; i < 9; ++i)
                    if (i != 4)
                        take({static_cast<int16_t>(centre.x + (i % 3 - 1) * reach),
                              static_cast<int16_t>(centre.y + (i / 3 - 1) * reach)},
                             d[i]);
                settled = best == centre;
            }
            field.at(bx, by) = best;
        }
    }
}

}  // namespace nlvc
