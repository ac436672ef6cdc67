#include "context.h"

namespace nlvc {
namespace {

/// One row of averages over 2^kX x 2^kY values; `from` are the rows, the last columns are clamped.
template <class T, int kX, int kY>
void reduce_row(const T* const* from, int fine_width, int width, T* to) {
    constexpr int kColumns = 1 << kX, kRows = 1 << kY, kShift = kX + kY, kHalf = (1 << kShift) >> 1;
    const int whole = fine_width >> kX;  // columns that need no clamping
    const T* rows[kRows];
    std::copy_n(from, kRows, rows);
    for (int x = 0; x < whole; ++x) {
        int sum = kHalf;
        for (int j = 0; j < kRows; ++j)
            for (int i = 0; i < kColumns; ++i) sum += rows[j][(x << kX) + i];
        to[x] = static_cast<T>(sum >> kShift);
    }
    for (int x = whole; x < width; ++x) {
        int sum = kHalf;
        for (int j = 0; j < kRows; ++j)
            for (int i = 0; i < kColumns; ++i) sum += rows[j][std::min((x << kX) + i, fine_width - 1)];
        to[x] = static_cast<T>(sum >> kShift);
    }
}

template <class T>
using ReduceRow = void (*)(const T* const* from, int fine_width, int width, T* to);

template <class T>
Grid<T> reduced(const Grid<T>& fine, RowRange rows, int sx, int sy) {
    static constexpr ReduceRow<T> kReduceRow[3][3] = {{reduce_row<T, 0, 0>, reduce_row<T, 0, 1>, reduce_row<T, 0, 2>},
                                                      {reduce_row<T, 1, 0>, reduce_row<T, 1, 1>, reduce_row<T, 1, 2>},
                                                      {reduce_row<T, 2, 0>, reduce_row<T, 2, 1>, reduce_row<T, 2, 2>}};
    const int nx = 1 << sx, ny = 1 << sy;
    Grid<T> out((fine.width + nx - 1) >> sx, (rows.count() + ny - 1) >> sy);
    for (int y = 0; y < out.height; ++y) {
        const T* from[4];
        for (int j = 0; j < ny; ++j) from[j] = fine.row(std::min(rows.top + (y << sy) + j, rows.bottom - 1));
        kReduceRow[sx][sy](from, fine.width, out.width, out.row(y));
    }
    return out;
}

/// The median edge predictor's choice: how much of W, N and C.
struct Edge {
    int w, n, c;
    bool none;
};

Edge choose_edge(int w, int n, int c) {
    if (c <= std::min(w, n)) return w >= n ? Edge{1, 0, 0, false} : Edge{0, 1, 0, false};
    if (c >= std::max(w, n)) return w <= n ? Edge{1, 0, 0, false} : Edge{0, 1, 0, false};
    return {1, 1, -1, false};
}

}  // namespace

void PlaneContext::reset(const CodingSettings& coding, int width, int height) {
    settings = coding;
    narrow = !coding.intra && coding.depth == 8;
    layout = SkewLayout(width, height, coding.delta);
    present.fill(false);
    classes.clear();
    samples[kCur].resize(layout.size());
    if (narrow) bytes[kCur].resize(layout.size());
    errors[kErr].assign(layout.size(), 0);
    present[kCur] = present[kErr] = true;
}

void PlaneContext::set(PlaneId id, const Plane& source, int top, RowRange rows) {
    if (!narrow || id == kCur) skew(layout, source, top, rows, samples[id]);
    if (narrow) skew(layout, source, top, rows, bytes[id]);
    present[id] = true;
}

std::array<bool, kPlaneIds> needed_planes(const CompiledNetwork& network, bool intra) {
    std::array<bool, kPlaneIds> needed{};
    if (!intra) needed[kRef1Sub] = true;
    for (const auto* taps : {&network.inputs, &network.errors})
        for (const Tap& tap : *taps) {
            needed[tap.plane] = true;
            if (anchor_of(tap.plane) == 1) needed[intra ? kGuide1Cur : kGuide1Ref] = true;
            if (anchor_of(tap.plane) == 2) needed[intra ? kGuide2Cur : kGuide2Ref] = true;
        }
    needed[kCur] = needed[kErr] = needed[kLevel] = false;
    return needed;
}

int anchor_of(uint8_t plane) {
    switch (plane) {
        case kErrPrev:
        case kErr:
        case kGuide1Err:
        case kGuide2Err:
        case kLevel:
            return -1;
        case kGuide1Cur:
        case kGuide1Ref:
            return 1;
        case kGuide2Cur:
        case kGuide2Ref:
            return 2;
        default:
            return 0;
    }
}

Plane reduce(const Plane& fine, RowRange rows, int sx, int sy) { return reduced(fine, rows, sx, sy); }
ErrorPlane reduce(const ErrorPlane& fine, RowRange rows, int sx, int sy) { return reduced(fine, rows, sx, sy); }

BatchPosition batch_at(const SkewLayout& layout, int g, int y) {
    BatchPosition at{g, y, std::min(kLanes, layout.last_row(g) - y + 1), false};
    const int left = at.x(at.count - 1, layout.delta()), right = at.x(0, layout.delta());
    at.interior =
        left >= kReach && right < layout.width() - kReach && y >= kReach && y + at.count <= layout.height() - kReach;
    return at;
}

void find_byte_anchors(const PlaneContext& context, const BatchPosition& at, const int8_t* (&rows)[kAnchors + 1]) {
    static constexpr int8_t kZeros[kLanes] = {};
    constexpr PlaneId kPlanes[kAnchors] = {kRef1Sub, kGuide1Ref, kGuide2Ref};
    const ptrdiff_t first = context.layout.group(at.group) + at.y;
    for (int a = 0; a < kAnchors; ++a)
        rows[a] = context.present[kPlanes[a]] ? context.bytes[kPlanes[a]].data() + first : kZeros;
    rows[kNoAnchor] = kZeros;
}

void find_anchors(const PlaneContext& context, const BatchPosition& at, int32_t (*anchors)[kLanes]) {
    const SkewLayout& layout = context.layout;
    if (context.narrow) {
        const int8_t* from = context.bytes[kRef1Sub].data() + layout.group(at.group) + at.y;
        for (int lane = 0; lane < kLanes; ++lane) anchors[0][lane] = from[lane] + 128;
        return;
    }
    if (!context.settings.intra) {
        constexpr PlaneId kPlanes[kAnchors] = {kRef1Sub, kGuide1Ref, kGuide2Ref};
        for (int a = 0; a < kAnchors; ++a) {
            if (!context.present[kPlanes[a]]) continue;
            const uint16_t* from = context.samples[kPlanes[a]].data() + layout.group(at.group) + at.y;
            for (int lane = 0; lane < kLanes; ++lane) anchors[a][lane] = from[lane];
        }
        return;
    }
    const int delta = layout.delta();
    const ptrdiff_t west = layout.group(at.group - 1) + at.y;
    const ptrdiff_t north = layout.group(at.group - delta) + at.y - 1;
    const ptrdiff_t corner = layout.group(at.group - delta - 1) + at.y - 1;
    const uint16_t* cur = context.samples[kCur].data();
    for (int lane = 0; lane < kLanes; ++lane) {
        Edge edge{0, 0, 0, true};
        if (lane < at.count) {
            const bool has_west = at.x(lane, delta) > 0, has_north = delta > 0 && at.y + lane > 0;
            if (has_west && has_north)
                edge = choose_edge(cur[west + lane], cur[north + lane], cur[corner + lane]);
            else if (has_west || has_north)
                edge = {has_west, has_north, 0, false};
        }
        constexpr PlaneId kPlanes[kAnchors] = {kCur, kGuide1Cur, kGuide2Cur};
        for (int a = 0; a < kAnchors; ++a) {
            if (!context.present[kPlanes[a]]) continue;
            const auto& plane = context.samples[kPlanes[a]];
            anchors[a][lane] =
                edge.none ? 1 << (context.settings.depth - 1)
                          : edge.w * plane[west + lane] + edge.n * plane[north + lane] + edge.c * plane[corner + lane];
        }
    }
}

}  // namespace nlvc
