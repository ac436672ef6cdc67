// Repeats: samples that equal the one displaced in the previous frame, or what stood after the same neighbours
// (docs/bitstream.md section 7.1). Screens, text and drawings consist of them.
#pragma once
#include <array>

#include "context.h"
#include "exclusion.h"

namespace nlvc {

/// A plane in the frame and what is known of it beside revealed samples.
struct RepeatPlane {
    const Plane* samples;    ///< known ones: of a guide; not read of the plane that is coded
    const Plane* reference;  ///< ref1 of section 4; nullptr in an I-frame
    int sx, sy;              ///< log2 of how much finer it is than the plane that is coded
    RowRange rows;           ///< of the slice
};

/// Blocks of 16x16 samples of plane 0 in one slice, 1 for those whose samples all, in every plane, equal ref1.
using CopiedBlocks = Grid<uint8_t>;
constexpr int kCopiedBlockBits = 4;  ///< log2 of the edge

/// Codes them in raster order: an encoder's are read, a decoder's are filled.
void code_copied_blocks(BitCoder& bits, CopiedBlocks& blocks);

/// What is the same for all samples of a plane.
struct RepeatSettings {
    PlaneGeometry geometry;  ///< of the plane that is coded
    bool flags;              ///< else it repeats only what copied blocks hold
    bool differences;        ///< to plane 0: what repeats in planes 1 and 2 of RGB
};

/// The flags of one plane of one slice. For one group after the other: start_group, then code for each of its samples
/// in ascending rows, and finish_group when all its samples are known.
class RepeatCoder {
  public:
    /// @param planes  the one that is coded, then its guides, at most two
    /// @param blocks  of a P-frame; empty in an I-frame
    RepeatCoder(const PlaneContext& context, const std::vector<RepeatPlane>& planes, const CopiedBlocks& blocks,
                const RepeatSettings& settings);

    void start_group(int g);
    /// Codes whether the sample of row y repeats a candidate: an encoder gives the sample, a decoder receives it.
    /// Returns whether it does.
    bool code(int y, BitCoder& bits, uint16_t& sample);
    /// By row of the slice: 1 where the sample of this group repeats.
    const uint8_t* known() const { return known_.data(); }
    /// What a sample of this group that does not repeat can not be.
    const Excluded& excluded(int y) const { return excluded_[y]; }
    void finish_group();

  private:
    /// Neighbours as a number.
    struct Key {
        uint64_t hash = 0;
        void mix(int value);
        size_t slot() const { return hash >> 48; }
        uint32_t check() const { return static_cast<uint32_t>(hash >> 8); }
    };
    using Keys = std::array<Key, 2>;  ///< of few and of many neighbours
    /// What is kept of a coded sample; later ones are told by it. One bit each.
    enum Mark : uint8_t {
        kMatched = 1,       ///< it equals its reference
        kRepeated = 2,      ///< it was known from its flags
        kRepeatsWest = 4,   ///< its left neighbour would have given it (of samples that do not match)
        kRepeatsNorth = 8,  ///< its upper one would
    };
    /// What stood after such neighbours.
    struct Entry {
        uint32_t check = 0;
        uint16_t sample = 0;
        uint8_t confidence = 0;  ///< how often in succession, at most 7; 0: empty
    };
    struct Candidate {
        int value;    ///< -1: none
        int context;  ///< of its flag
    };
    /// What one or two neighbours give.
    struct Neighbours {
        int value;  ///< -1: there are none
        bool alike;
        int history;  ///< 0..7, what was right around
    };
    struct Pending {
        int y;
        Keys keys;
    };

    /// The sample at an offset from row y of this group, -1 where it is not revealed or outside the slice.
    int neighbour(int y, int dx, int dy) const;
    int guide(size_t number, int y, int dx, int dy) const;
    bool guide_matches(size_t number, int y, int dx, int dy) const;
    /// Of the sample at an offset.
    bool mark(Mark which, int y, int dx, int dy) const;
    /// The sample as it would be if it repeated a neighbour; -1 where that is missing.
    int repeated(int y, int dx, int dy) const;
    int match_context(int y) const;
    Keys keys(int y) const;
    Candidate candidate(const Keys& keys, int y) const;
    Neighbours neighbours(int y) const;

    bool copied(int y) const {
        if (blocks_.empty()) return false;
        const int x = group_ - context_.layout.delta() * y;
        const PlaneGeometry& geometry = settings_.geometry;
        return blocks_.row(y >> (kCopiedBlockBits - geometry.sy))[x >> (kCopiedBlockBits - geometry.sx)] != 0;
    }

    const PlaneContext& context_;
    const CopiedBlocks& blocks_;
    RepeatSettings settings_;
    RepeatPlane own_;
    std::vector<RepeatPlane> guides_;
    int group_ = 0;
    std::vector<CountingBit> match_bits_, repeat_bits_;
    std::array<std::vector<Entry>, 2> tables_;  ///< empty without flags
    std::vector<uint8_t> marks_;                ///< by place in the layout
    std::vector<uint8_t> known_;
    std::vector<Excluded> excluded_;
    std::vector<Pending> pending_;  ///< to be learned when the group is known
};

}  // namespace nlvc
