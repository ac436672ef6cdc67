#include "motion_coding.h"

#include <cstdlib>

#include "signed_coding.h"

namespace nlvc {
namespace {

constexpr int kMaxSuffix = 9;  ///< bits after the prefix of the largest difference, 2 * kMaxVector

/// Contexts of one component.
struct ComponentContexts {
    AdaptiveBit zero;
    AdaptiveBit sign;
    AdaptiveBit prefix[kMaxSuffix + 1];
    AdaptiveBit suffix[kMaxSuffix + 1][2];
    AdaptiveBit low;
};

int code_difference(BitCoder& coder, ComponentContexts& c, int d) {
    const auto suffix = [&](int length, int weight) -> AdaptiveBit& {
        const int from_top = length - 1 - weight;
        return from_top < 2 ? c.suffix[length][from_top] : c.low;
    };
    const char* error = "motion: a vector difference is out of range";
    return code_signed(coder, c.zero, {c.sign, c.prefix}, kMaxSuffix, error, suffix, d);
}

class MotionCoder {
  public:
    MotionCoder(BitCoder& coder, RowRange rows, MotionField& field)
        : coder_(coder), rows_(rows), field_(field), split_((field.columns + 1) / 2, 0) {}

    void run() {
        for (int by = rows_.top; by < rows_.bottom; by += 2) {
            int left = 0;
            for (int bx = 0; bx < field_.columns; bx += 2) {
                uint8_t& above = split_[bx / 2];
                const int split = coder_.code(differ(bx, by), split_contexts_[left + above]);
                if (split == 0) {
                    code_vector(bx, by, 2);
                } else {
                    for_quarters(bx, by, [&](int x, int y) { code_vector(x, y, 1); });
                }
                above = static_cast<uint8_t>(split);
                left = split;
            }
        }
    }

  private:
    template <class Visit>
    void for_quarters(int bx, int by, Visit visit) const {
        for (int y = by; y < std::min(by + 2, rows_.bottom); ++y)
            for (int x = bx; x < std::min(bx + 2, field_.columns); ++x) visit(x, y);
    }

    bool differ(int bx, int by) const {
        bool result = false;
        for_quarters(bx, by, [&](int x, int y) { result = result || !(field_.at(x, y) == field_.at(bx, by)); });
        return result;
    }

    int16_t code_component(int component, int value, int predicted) {
        const int coded = predicted + code_difference(coder_, components_[component], value - predicted);
        if (std::abs(coded) > kMaxVector) throw BitstreamError("motion: a vector is out of range");
        return static_cast<int16_t>(coded);
    }

    /// Codes the vector of the block at (bx, by), `size` 8x8 blocks wide and high.
    void code_vector(int bx, int by, int size) {
        const Vector predicted = predict_vector(field_, bx, by, size, rows_.top);
        const Vector v = field_.at(bx, by);
        Vector coded;
        coded.x = code_component(0, v.x, predicted.x);
        coded.y = code_component(1, v.y, predicted.y);
        if (size == 1)
            field_.at(bx, by) = coded;
        else
            for_quarters(bx, by, [&](int x, int y) { field_.at(x, y) = coded; });
    }

    BitCoder& coder_;
    RowRange rows_;
    MotionField& field_;
    std::vector<uint8_t> split_;  ///< of the 16x16 blocks above
    AdaptiveBit split_contexts_[3];
    ComponentContexts components_[2];
};

}  // namespace

void code_motion(BitCoder& coder, RowRange rows, MotionField& field) { MotionCoder(coder, rows, field).run(); }

}  // namespace nlvc
