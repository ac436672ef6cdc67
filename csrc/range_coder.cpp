#include "range_coder.h"

#include <algorithm>
#include <cmath>

namespace nlvc {

void RangeEncoder::carry() {
    low_ &= kMask;
    for (size_t i = bytes_.size(); i-- > 0 && ++bytes_[i] == 0;) {
    }
}

Bytes RangeEncoder::finish() {
    low_ += kLeastRange - 1;
    if (low_ >> 48 != 0) carry();
    renormalise();
    while (!bytes_.empty() && bytes_.back() == 0) bytes_.pop_back();
    return std::move(bytes_);
}

double RangeEncoder::bits() const {
    return 8.0 * static_cast<double>(bytes_.size()) + 48.0 - std::log2(static_cast<double>(range_));
}

RangeDecoder::RangeDecoder(ByteView bytes) : state_{bytes.data, bytes.size, 0, (uint64_t{1} << 48) - 1, 0} {
    for (int i = 0; i < 3; ++i) state_.code = state_.code << 16 | next_word();
}

double RangeDecoder::bits() const {
    // The decoder is three words ahead.
    return 8.0 * static_cast<double>(state_.position) - std::log2(static_cast<double>(state_.range));
}

void AdaptiveBit::update(int bit) {
    if (bit == 0)
        probability_ += (65536 - probability_) >> 4;
    else
        probability_ -= probability_ >> 4;
    probability_ = std::clamp(probability_, 64u, 65472u);
}

void CountingBit::update(int bit) {
    constexpr uint32_t kMostCounted = 62, kLeast = 1024;
    if (bit == 0)
        probability_ += 2 * (kProbabilityOne - probability_) / (2 * count_ + 3);
    else
        probability_ -= 2 * probability_ / (2 * count_ + 3);
    probability_ = std::clamp(probability_, kLeast, kProbabilityOne - kLeast);
    count_ = std::min(count_ + 1, kMostCounted);
}

namespace {

template <class Context>
int encode_bit(RangeEncoder& coder, int bit, Context& context) {
    if (bit == 0)
        coder.encode(0, context.split());
    else
        coder.encode(context.split(), kProbabilityOne);
    context.update(bit);
    return bit;
}

template <class Context>
int decode_bit(RangeDecoder& coder, Context& context) {
    const uint32_t split = context.split();
    const int bit = coder.unit() * split <= coder.code() ? 1 : 0;
    coder.consume(bit != 0 ? split : 0, bit != 0 ? kProbabilityOne : split);
    context.update(bit);
    return bit;
}

}  // namespace

int BitEncoder::code(int bit, AdaptiveBit& context) { return encode_bit(coder_, bit, context); }
int BitEncoder::code(int bit, CountingBit& context) { return encode_bit(coder_, bit, context); }
int BitDecoder::code(int, AdaptiveBit& context) { return decode_bit(coder_, context); }
int BitDecoder::code(int, CountingBit& context) { return decode_bit(coder_, context); }

}  // namespace nlvc
