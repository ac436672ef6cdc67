// The range coder (docs/bitstream.md section 7): symbols are intervals [lo, hi) of 2^24.
//
// Why it is right. Write B = 2^48, and let the coded string be a fraction in [0, 1), 16 bits a word.
// * State. After every symbol the string must lie in [low, low + range) in units of the word position, and
//   2^32 <= range < 2^48. The r = range >> 24 is at least 2^8, so every interval with hi > lo gets at least r >= 2^8
//   units: no symbol is lost, and one or two renormalisations restore range >= 2^32. The remainder range - r * 2^24
//   goes to the symbol that ends at 2^24, so the symbols' intervals cover the range without gap or overlap.
// * Carry. low + range <= B holds at the start and nesting keeps the absolute interval inside [0, 1): a carry out of
// the
//   48 bits of low adds one to words already emitted, and never runs past the first of them. A word that a carry turned
//   from ffff into 0000 can be reached by a carry again only after another was added to it: the total work is linear.
// * End. V = (low + 2^32 - 1) with its low 32 bits cleared satisfies low <= V < low + 2^32 <= low + range: the single
//   word V >> 32 followed by zeros lies in the interval, so zeros past the end decode right and may be dropped.
// * Search. The decoder needs the last v with r * C(v) <= code. r < 2^24 and C < 2^24, so the product fits 48 bits and
//   comparing products replaces the division code / r.
// * Damage. Wrong bytes give wrong symbols but no undefined step: all arithmetic is on unsigned 64-bit integers and
//   every search is bounded by its caller.
#pragma once
#include <algorithm>

#include "bytes.h"

namespace nlvc {

constexpr int kProbabilityBits = 24;
constexpr uint32_t kProbabilityOne = 1u << kProbabilityBits;
constexpr uint64_t kLeastRange = uint64_t{1} << 32;  ///< after renormalisation

class RangeEncoder {
  public:
    /// Codes [lo, hi), 0 <= lo < hi <= 2^24.
    void encode(uint32_t lo, uint32_t hi) { narrow(range_ >> kProbabilityBits, lo, hi, kProbabilityOne); }
    /// Codes [lo, hi) of `total`, 0 <= lo < hi <= total <= 2^24.
    void encode_of(uint32_t lo, uint32_t hi, uint32_t total) { narrow(range_ / total, lo, hi, total); }
    /// Ends the string and returns it without trailing zeros.
    Bytes finish();
    /// Information coded so far, bits.
    double bits() const;

  private:
    static constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;

    void narrow(uint64_t unit, uint32_t lo, uint32_t hi, uint32_t total) {
        low_ += unit * lo;
        range_ = hi == total ? range_ - unit * lo : unit * (hi - lo);
        if (low_ >> 48 != 0) carry();
        while (range_ < kLeastRange) renormalise();
    }
    void carry();
    void renormalise() {
        bytes_.push_back(static_cast<uint8_t>(low_ >> 40));
        bytes_.push_back(static_cast<uint8_t>(low_ >> 32));
        low_ = low_ << 16 & kMask;
        range_ <<= 16;
    }

    uint64_t low_ = 0;
    uint64_t range_ = kMask;
    Bytes bytes_;
};

/// Where a decoder stands in its bytes.
struct DecoderState {
    const uint8_t* data;
    size_t size;
    size_t position;  ///< of the next word; past the end words are zero
    uint64_t range;
    uint64_t code;
};

class RangeDecoder {
  public:
    /// `bytes` must outlive the decoder.
    explicit RangeDecoder(ByteView bytes);
    /// Goes on where another decoder stood.
    explicit RangeDecoder(const DecoderState& state) : state_(state) {}

    const DecoderState& state() const { return state_; }
    /// For kernels that decode by themselves.
    DecoderState& state() { return state_; }

    /// The coded symbol is the last one whose lower bound b has unit() * b <= code().
    uint64_t unit() const { return state_.range >> kProbabilityBits; }
    uint64_t code() const { return state_.code; }
    /// Information decoded so far, bits: what RangeEncoder::bits told at the same place.
    double bits() const;
    /// Takes the symbol [lo, hi) that the search found.
    void consume(uint32_t lo, uint32_t hi) { narrow(unit(), lo, hi, kProbabilityOne); }
    /// Where of [0, total) the code points, for a symbol that encode_of coded.
    uint32_t position_of(uint32_t total) const {
        return static_cast<uint32_t>(std::min<uint64_t>(state_.code / (state_.range / total), total - 1));
    }
    /// Takes the symbol [lo, hi) of `total` that holds that position.
    void consume_of(uint32_t lo, uint32_t hi, uint32_t total) { narrow(state_.range / total, lo, hi, total); }

  private:
    void narrow(uint64_t unit, uint32_t lo, uint32_t hi, uint32_t total) {
        state_.code -= unit * lo;
        state_.range = hi == total ? state_.range - unit * lo : unit * (hi - lo);
        while (state_.range < kLeastRange) {
            state_.code = state_.code << 16 | next_word();
            state_.range <<= 16;
        }
    }
    uint64_t next_word() {
        const size_t at = state_.position;
        const uint64_t high = at < state_.size ? state_.data[at] : 0;
        const uint64_t low = at + 1 < state_.size ? state_.data[at + 1] : 0;
        state_.position += 2;
        return high << 8 | low;
    }

    DecoderState state_;
};

/// A binary probability that follows what it codes.
class AdaptiveBit {
  public:
    /// Upper end of the interval of bit 0.
    uint32_t split() const { return probability_ << 8; }
    void update(int bit);

  private:
    uint32_t probability_ = 32768;  ///< of zero, 1/65536
};

/// One that moves fast at first, as the mean of what it has coded, and comes closer to certainty.
class CountingBit {
  public:
    uint32_t split() const { return probability_; }
    void update(int bit);

  private:
    uint32_t probability_ = kProbabilityOne / 2;  ///< of zero, 1/2^24
    uint32_t count_ = 0;
};

/// Codes bits in one of both directions, so that a syntax is written once.
class BitCoder {
  public:
    virtual ~BitCoder() = default;
    /// The encoder codes `bit` and returns it; the decoder ignores `bit` and returns what was coded.
    virtual int code(int bit, AdaptiveBit& context) = 0;
    virtual int code(int bit, CountingBit& context) = 0;
};

class BitEncoder final : public BitCoder {
  public:
    explicit BitEncoder(RangeEncoder& coder) : coder_(coder) {}
    int code(int bit, AdaptiveBit& context) override;
    int code(int bit, CountingBit& context) override;

  private:
    RangeEncoder& coder_;
};

class BitDecoder final : public BitCoder {
  public:
    explicit BitDecoder(RangeDecoder& coder) : coder_(coder) {}
    int code(int bit, AdaptiveBit& context) override;
    int code(int bit, CountingBit& context) override;

  private:
    RangeDecoder& coder_;
};

}  // namespace nlvc
