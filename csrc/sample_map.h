// Numbering the values that samples really take: 8 bits that are stored in 16, unused low bits, histograms with holes
// (docs/bitstream.md section 1.1). The codec proper then works on the numbers, at the depth that they need.
#pragma once
#include <array>

#include "bytes.h"
#include "format.h"
#include "plane.h"

namespace nlvc {

enum class Numbering : uint8_t {
    kIdentity = 0,   ///< v = n
    kShift = 1,      ///< v = n << (depth - bits)
    kReplicate = 2,  ///< v = n << (depth - bits) | n >> (2*bits - depth)
    kList = 3        ///< v = values[n], ascending
};

/// The values of one plane by their numbers.
class ValueMap {
  public:
    /// The identity.
    ValueMap() = default;
    /// kShift and kReplicate. @param bits  8 .. depth - 1, for kReplicate with 2 * bits >= depth
    ValueMap(Numbering kind, int bits, int depth);
    /// kList. @param values  ascending, not empty, below 2^depth
    ValueMap(std::vector<uint16_t> values, int depth);

    Numbering kind() const { return kind_; }
    /// Number of values, 2^depth in the identity.
    int count(int depth) const { return kind_ == Numbering::kIdentity ? 1 << depth : static_cast<int>(values_.size()); }
    /// Whether every sample has a number.
    bool covers(const Plane& plane) const;
    /// Samples to numbers; all must have one.
    void number(Plane& plane) const;
    /// Numbers to samples; a number without a value is a BitstreamError.
    void restore(Plane& plane) const;
    void write(Writer& out) const;

  private:
    void index(int depth);

    Numbering kind_ = Numbering::kIdentity;
    int bits_ = 0;
    std::vector<uint16_t> values_;  ///< by number, ascending; empty in the identity
    std::vector<int32_t> numbers_;  ///< by value, -1 where it has none
};

/// The maps of all planes of a frame and of those that follow it up to the next keyframe.
struct SampleMap {
    std::vector<ValueMap> planes;  ///< in coding order; none: the identity everywhere

    bool identity() const { return planes.empty(); }
    /// Bits that the numbers of all planes need, at least 8.
    int coded_depth(int depth) const;
    bool covers(const std::vector<Plane>& samples) const;
    void number(std::vector<Plane>& samples) const;
    void restore(std::vector<Plane>& samples) const;
    Bytes write() const;
};

/// `bytes`: the entry of a keyframe's side information, empty: the identity.
SampleMap read_sample_map(ByteView bytes, const PictureFormat& format);

/// Chooses maps for keyframes; remembers what earlier ones held, so that a stream's map soon settles.
class SampleMapChooser {
  public:
    explicit SampleMapChooser(const PictureFormat& format);
    /// `failed`: the last map did not cover these samples. Lists are then no longer tried where they failed.
    SampleMap choose(const std::vector<Plane>& samples, const SampleMap& last, bool failed);

  private:
    ValueMap choose_plane(int p, const Plane& plane);

    PictureFormat format_;
    std::vector<std::vector<uint8_t>> seen_;  ///< by plane and value: 1 where a keyframe had it
    std::vector<bool> lists_;                 ///< by plane: lists may be tried
};

}  // namespace nlvc
