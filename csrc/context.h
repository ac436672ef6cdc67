// The context planes of one plane of one slice, brought to the grid of that plane and skewed (docs/bitstream.md section
// 4).
#pragma once
#include <array>
#include <vector>

#include "model.h"
#include "skew.h"

namespace nlvc {

constexpr int kAnchors = 3;  ///< A, G of guide plane 0, G of guide plane 1

/// What is common to all planes of a frame.
struct CodingSettings {
    int depth = 8;
    int q = 0;          ///< sample shift
    int delta = 2;      ///< slope of the groups
    bool intra = true;  ///< I-frame
};

/// The context planes by id. Samples and errors are separate; ids that the network does not read stay unset. The memory
/// of one plane serves the next.
struct PlaneContext {
    CodingSettings settings;
    SkewLayout layout;
    std::array<std::vector<uint16_t>, kPlaneIds> samples;
    std::array<std::vector<int8_t>, kPlaneIds> errors;
    std::array<bool, kPlaneIds> present{};  ///< which of them are set
    std::vector<int8_t> classes;            ///< the correction set of each sample; empty: set 0

    /// Starts a new plane: width x height is its part in the slice. All planes become unset but `cur`, which holds
    /// anything, and `err`, which is zero.
    void reset(const CodingSettings& coding, int width, int height);
    /// Sets a plane from a grid whose row `top` is the slice's first; taps clamp to `rows` of the grid.
    void set(PlaneId id, const Plane& source, int top, RowRange rows) {
        skew(layout, source, top, rows, samples[id]);
        present[id] = true;
    }
    void set(PlaneId id, const ErrorPlane& source, int top, RowRange rows) {
        skew(layout, source, top, rows, errors[id]);
        present[id] = true;
    }
};

/// The planes that must be set: those the network taps and the anchors they need, without `cur`, `err` and `level`.
std::array<bool, kPlaneIds> needed_planes(const CompiledNetwork& network, bool intra);

/// Which anchor the taps of a plane are differences to (0 A, 1 and 2 G of the guides), -1: none.
int anchor_of(uint8_t plane);

/// Average over 2^sx x 2^sy values with clamped coordinates: rows [rows.top, rows.bottom) of `fine`, whose first
/// becomes row 0 of the result.
Plane reduce(const Plane& fine, RowRange rows, int sx, int sy);
ErrorPlane reduce(const ErrorPlane& fine, RowRange rows, int sx, int sy);

/// Up to sixteen samples of one group: rows [y, y + count).
struct BatchPosition {
    int group;
    int y;
    int count;
    bool interior;  ///< no lane is within kReach of the border of the slice

    int x(int lane, int delta) const { return group - delta * (y + lane); }
};

/// The batch of group g that begins in row y.
BatchPosition batch_at(const SkewLayout& layout, int g, int y);

/// Anchors of a batch, samples; lanes past the count hold anything in [-65535, 131070].
void find_anchors(const PlaneContext& context, const BatchPosition& at, int32_t (*anchors)[kLanes]);

}  // namespace nlvc
