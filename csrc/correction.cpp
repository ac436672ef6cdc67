#include "correction.h"

#include <cstdlib>

#include "signed_coding.h"

namespace nlvc {
namespace {

constexpr int kMaxLength = 7;  // bits after the prefix of the largest difference
constexpr const char* kOutOfRange = "corrections: a weight is out of range";

/// Contexts of the weights of one plane.
struct WeightContexts {
    AdaptiveBit zero[3];  // by whether the weight that predicts and the weight just coded are zero
    AdaptiveBit sign;
    AdaptiveBit prefix[kMaxLength + 1];
    AdaptiveBit suffix[kMaxLength];  // by the weight of the bit
};

/// A number below 2^bits, top bit first, each bit with a context of its own.
int code_number(BitCoder& coder, int value, int bits, AdaptiveBit* contexts) {
    int node = 1;
    for (int i = bits - 1; i >= 0; --i) node = node * 2 + coder.code(value >> i & 1, contexts[node]);
    return node - (1 << bits);
}

void code_set(BitCoder& coder, WeightContexts& c, const CorrectionSet& predicted, CorrectionSet& set) {
    bool last_zero = true;
    int sum = 0;
    for (size_t i = 0; i < set.size(); ++i) {
        AdaptiveBit& zero = c.zero[(predicted[i] != 0 ? 1 : 0) + (last_zero ? 0 : 1)];
        const auto suffix = [&](int, int weight) -> AdaptiveBit& { return c.suffix[weight]; };
        const int d =
            code_signed(coder, zero, {c.sign, c.prefix}, kMaxLength, kOutOfRange, suffix, set[i] - predicted[i]);
        const int value = predicted[i] + d;
        if (std::abs(value) > 127) throw BitstreamError(kOutOfRange);
        last_zero = value == predicted[i];
        set[i] = static_cast<int8_t>(value);
        sum += std::abs(value);
    }
    if (sum > kMaxCorrectionSum) throw BitstreamError("corrections: the weights of a set are too large");
}

/// An encoder's sets are read, a decoder's are filled.
void code_corrections(BitCoder& coder, const std::vector<int>& inputs, const std::vector<PlaneCorrection>& previous,
                      std::vector<PlaneCorrection>& planes) {
    AdaptiveBit changed, count_bits[16], shift_bits[8], kept;
    for (size_t p = 0; p < planes.size(); ++p) {
        PlaneCorrection& plane = planes[p];
        const PlaneCorrection& before = previous[p];
        if (coder.code(plane == before ? 0 : 1, changed) == 0) {
            plane = before;
            continue;
        }
        const int count = code_number(coder, static_cast<int>(plane.sets.size()), 4, count_bits);
        if (count > kMaxSets) throw BitstreamError("corrections: more sets than a plane can have");
        plane.shift = kLeastShift + code_number(coder, plane.shift - kLeastShift, 3, shift_bits);
        const CorrectionSet none(static_cast<size_t>(inputs[p]) + 1, 0);
        plane.sets.resize(static_cast<size_t>(count), none);
        WeightContexts contexts;
        for (int i = 0; i < count; ++i) {
            const bool same_unit = plane.shift == before.shift && i < static_cast<int>(before.sets.size());
            const CorrectionSet& predicted = same_unit ? before.sets[i] : i > 0 ? plane.sets[0] : none;
            if (same_unit && coder.code(plane.sets[i] == predicted ? 1 : 0, kept) == 1)
                plane.sets[i] = predicted;
            else
                code_set(coder, contexts, predicted, plane.sets[i]);
        }
    }
}

}  // namespace

int32_t define_correction(const CorrectionSet& set, int shift, const int8_t* taps) {
    int32_t sum = set.back() * kConstantInput;
    for (size_t i = 0; i + 1 < set.size(); ++i) sum += set[i] * taps[i];
    return sum * (1 << shift);
}

PackedCorrection::PackedCorrection(const PlaneCorrection& plane) : shift(plane.shift) {
    if (plane.sets.empty()) return;
    const size_t taps = plane.sets[0].size() - 1;
    words.assign((taps + 3) / 4 * kMaxSets, 0);
    for (size_t s = 0; s < plane.sets.size(); ++s) {
        int32_t sum = 0;
        for (size_t i = 0; i < taps; ++i) {
            const int8_t weight = plane.sets[s][i];
            sum += weight;
            words[i / 4 * kMaxSets + s] |= static_cast<int32_t>(uint32_t{static_cast<uint8_t>(weight)} << i % 4 * 8);
        }
        start[s] = plane.sets[s].back() * kConstantInput;
        start_biased[s] = start[s] - 128 * sum;
    }
}

Bytes write_corrections(const std::vector<int>& inputs, const std::vector<PlaneCorrection>& previous,
                        const std::vector<PlaneCorrection>& planes) {
    RangeEncoder coder;
    BitEncoder bits(coder);
    std::vector<PlaneCorrection> coded = planes;
    code_corrections(bits, inputs, previous, coded);
    return coder.finish();
}

std::vector<PlaneCorrection> read_corrections(const std::vector<int>& inputs,
                                              const std::vector<PlaneCorrection>& previous, ByteView bytes) {
    RangeDecoder coder(bytes);
    BitDecoder bits(coder);
    std::vector<PlaneCorrection> planes(inputs.size());
    code_corrections(bits, inputs, previous, planes);
    return planes;
}

void code_classes(BitCoder& coder, int sets, int top, int bottom, const ClassPlane& previous, ClassPlane& classes) {
    AdaptiveBit same[3], numbers[kMaxSets];
    const int columns = (classes.width + kSetBlock - 1) / kSetBlock;
    std::vector<uint8_t> above(static_cast<size_t>(columns), 1);
    for (int y = top; y < bottom; y += kSetBlock) {
        const int rows = std::min(kSetBlock, bottom - y);
        int left = 1;
        for (int column = 0; column < columns; ++column) {
            const int x = column * kSetBlock;
            const int before = previous.empty() ? 0 : previous.at(x, y);
            const int value = classes.at(x, y);
            const int kept = coder.code(value == before ? 1 : 0, same[left + above[column]]);
            const int set = kept == 1 ? before : code_number(coder, value, 3, numbers);
            if (set >= sets) throw BitstreamError("corrections: a block takes a set that there is not");
            left = above[column] = static_cast<uint8_t>(kept);
            for (int row = 0; row < rows; ++row)
                std::fill_n(classes.row(y + row) + x, std::min(kSetBlock, classes.width - x), static_cast<int8_t>(set));
        }
    }
}

}  // namespace nlvc
