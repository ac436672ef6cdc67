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

/// The flags of one plane of one slice. For one group after the other: start_group, then code for each of its samples
/// in ascending rows, and finish_group when all its samples are known.
class RepeatCoder {
  public:
    /// @param planes   the one that is coded, then its guides, at most two
    /// @param blocks   of a P-frame; empty in an I-frame
    /// @param geometry of the plane that is coded
    RepeatCoder(const PlaneContext& context, const std::vector<RepeatPlane>& planes, const CopiedBlocks& blocks,
                const PlaneGeometry& geometry);

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
    /// What stood after such neighbours.
    struct Entry {
        uint32_t check = 0;
        uint16_t sample = 0;
        uint8_t confidence = 0;  ///< how often in succession, at most 7; 0: empty
    };
    struct Candidate {
        int value;  ///< -1: none
        int kind;   ///< 0 a neighbour, 1 and 2 what stood after few and after many neighbours, 3 where the guide is
                    ///< equal
        int confidence;
    };
    struct Pending {
        int y;
        Keys keys;
    };

    /// The sample at an offset from row y of this group, -1 where it is not revealed or outside the slice.
    int neighbour(int y, int dx, int dy) const;
    int guide(size_t number, int y, int dx, int dy) const;
    bool guide_matches(size_t number, int y, int dx, int dy) const;
    uint8_t flag(const std::vector<uint8_t>& map, int y, int dx, int dy) const;
    int match_context(int y) const;
    Keys keys(int y) const;
    Candidate candidate(const Keys& keys, int y) const;
    int repeat_context(const Candidate& candidate, int y) const;

    bool copied(int y) const {
        if (blocks_.empty()) return false;
        const int x = group_ - context_.layout.delta() * y;
        return blocks_.row(y >> (kCopiedBlockBits - geometry_.sy))[x >> (kCopiedBlockBits - geometry_.sx)] != 0;
    }

    const PlaneContext& context_;
    const CopiedBlocks& blocks_;
    PlaneGeometry geometry_;
    RepeatPlane own_;
    std::vector<RepeatPlane> guides_;
    int group_ = 0;
    std::vector<CountingBit> match_bits_, repeat_bits_;
    std::array<std::vector<Entry>, 2> tables_;
    std::vector<uint8_t> matched_;   ///< by place in the layout: the sample equals its reference
    std::vector<uint8_t> repeated_;  ///< by place in the layout: the sample was known from its flags
    std::vector<uint8_t> known_;
    std::vector<Excluded> excluded_;
    std::vector<Pending> pending_;  ///< to be learned when the group is known
};

}  // namespace nlvc
