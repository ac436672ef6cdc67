// Numbering the values that samples really take: 8 bits that are stored in 16, unused low bits, histograms with holes
// (docs/bitstream.md section 1.1). The codec proper then works on the numbers, at the depth that they need.
#pragma once
#include "bytes.h"
#include "format.h"
#include "plane.h"

namespace nlvc {

/// How value v follows from number n; maximum = 2^depth - 1.
enum class Numbering : uint8_t {
    kIdentity = 0,   ///< v = n
    kShift = 1,      ///< v = n << (depth - bits)
    kReplicate = 2,  ///< v = n << (depth - bits) | n >> (2*bits - depth)
    kList = 3,       ///< v = values[n], ascending
    kFloor = 4,      ///< v = n * maximum / top, rounded down
    kNearest = 5,    ///< the same, rounded to the nearest; for halves a bit each says whether up
};

/// The values of one plane by their numbers.
class ValueMap {
  public:
    /// The identity.
    ValueMap() = default;
    /// A formula. @param parameter  bits (8 .. depth - 1) for kShift and kReplicate, else top (1 .. maximum)
    /// @param up  for kNearest: which halves go up, by number; those beyond its end do not
    ValueMap(Numbering kind, int parameter, int depth, std::vector<bool> up = {});
    /// kList. @param values  ascending, not empty, below 2^depth
    ValueMap(std::vector<uint16_t> values, int depth);

    Numbering kind() const { return kind_; }
    /// Number of values, 2^depth in the identity.
    int count(int depth) const { return kind_ == Numbering::kIdentity ? 1 << depth : static_cast<int>(values_.size()); }
    /// Whether every sample has a number.
    bool covers(const std::vector<uint16_t>& samples) const;
    /// Numbers from that of one value to that of another, both included.
    int between(int least, int most) const;
    /// Samples to numbers; all must have one.
    void number(Plane& plane) const;
    /// Numbers to samples; a number without a value is a BitstreamError.
    void restore(Plane& plane) const;
    void write(Writer& out, int depth) const;

  private:
    void index(int depth);

    Numbering kind_ = Numbering::kIdentity;
    int parameter_ = 0;
    std::vector<bool> up_;
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
    Bytes write(int depth) const;
};

/// `bytes`: the entry of a keyframe's side information, empty: the identity.
SampleMap read_sample_map(ByteView bytes, const PictureFormat& format);

/// Chooses maps for keyframes; remembers what earlier ones held, so that a stream's map soon settles.
class SampleMapChooser {
  public:
    explicit SampleMapChooser(const PictureFormat& format);
    /// `failed`: the last map did not cover these samples. A plane's list may fail once, its maps twice in all: then
    /// the plane has none, so that content that never settles costs no more keyframes.
    SampleMap choose(const std::vector<Plane>& samples, const SampleMap& last, bool failed);

  private:
    /// The formula with the fewest numbers that gives all values seen, if there are enough of them to believe it.
    ValueMap find_formula(const std::vector<uint16_t>& values) const;
    ValueMap choose_plane(int p, const std::vector<uint16_t>& values, const std::vector<uint16_t>& samples,
                          const ValueMap& formula) const;

    PictureFormat format_;
    std::vector<std::vector<uint8_t>> seen_;  ///< by plane and value: 1 where a keyframe had it
    std::vector<bool> lists_;                 ///< by plane: lists may be tried
    std::vector<int> failures_;               ///< by plane
};

}  // namespace nlvc
