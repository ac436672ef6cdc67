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
    /// Samples of eight bits less 128, beside which only `cur` has 16-bit ones: half as much to read for every tap.
    std::array<std::vector<int8_t>, kPlaneIds> bytes;
    bool narrow = false;  ///< whether samples are in `bytes`: P-frames of 8 bits, whose anchors are samples too
    std::array<bool, kPlaneIds> present{};  ///< which of them are set
    std::vector<int8_t> classes;            ///< the correction set of each sample; empty: set 0

    /// Starts a new plane: width x height is its part in the slice. All planes become unset but `cur`, which holds
    /// anything, and `err`, which is zero.
    void reset(const CodingSettings& coding, int width, int height);
    /// Sets a plane from a grid whose row `top` is the slice's first; taps clamp to `rows` of the grid.
    void set(PlaneId id, const Plane& source, int top, RowRange rows);
    void set(PlaneId id, const ErrorPlane& source, int top, RowRange rows) {
        skew(layout, source, top, rows, errors[id]);
        present[id] = true;
    }
    /// Gives the taps `count` samples of `cur` that begin at this index of the layout.
    void reveal(ptrdiff_t first, int count) {
        if (!narrow) return;
        const uint16_t* from = samples[kCur].data() + first;
        int8_t* to = bytes[kCur].data() + first;
        for (int i = 0; i < count; ++i) to[i] = less_128(from[i]);
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

/// Anchors of a batch, samples; lanes past the count hold anything in [-65535, 131070]. With narrow samples A alone:
/// the taps find theirs in `bytes`.
void find_anchors(const PlaneContext& context, const BatchPosition& at, int32_t (*anchors)[kLanes]);

constexpr int kNoAnchor = kAnchors;  ///< the number of an anchor that is zero

/// With narrow samples: where the bytes of the anchors of a batch are, by number.
void find_byte_anchors(const PlaneContext& context, const BatchPosition& at, const int8_t* (&rows)[kAnchors + 1]);

}  // namespace nlvc
