// A dense layer of the transformer, laid out for the kernels (docs/diffusion.md section 3).
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "arrays.h"
#include "kernels/kernels.h"

namespace nlvc {

constexpr int kActivationLimit = 127;

inline int8_t activation(int32_t x, int32_t low = -kActivationLimit) {
    return static_cast<int8_t>(std::clamp(x, low, kActivationLimit));
}

/// The residual stream, 1/16 of an activation, as an activation.
inline int8_t stream_activation(int32_t r) { return activation((r + 8) >> 4); }

/// Inputs and outputs of a layer for one token.
struct DenseInputs {
    alignas(64) int8_t bytes[kMaxDenseInputs] = {};  ///< those beyond a layer's inputs meet weights of 0

    void take_stream(const int32_t* r, int count) {
        for (int i = 0; i < count; ++i) bytes[i] = stream_activation(r[i]);
    }
    void take(const float* x, int first, int count) {
        for (int i = 0; i < count; ++i) bytes[first + i] = static_cast<int8_t>(x[i]);
    }
    void take(const int32_t* x, int count, int low) {
        for (int i = 0; i < count; ++i) bytes[i] = activation(x[i], low);
    }
};
struct DenseOutputs {
    alignas(64) int32_t at[kMaxDenseLanes];
};

class IntegerDense {
  public:
    IntegerDense(const Array<int8_t>& weight, const Array<int32_t>& bias, const Array<int32_t>& multiplier,
                 const Array<int32_t>& shift, const std::string& kernels)
        : kernels_(choose_kernels(kernels)) {
        expect(weight.ndim() == 2 && bias.ndim() == 2 && multiplier.ndim() == 1 && shift.ndim() == 1,
               "expected weight [n, k], bias [sets, n], multiplier [n], shift [n]");
        expect(0 < weight.shape(0) && weight.shape(0) <= kMaxDenseLanes && 0 < weight.shape(1) &&
                   weight.shape(1) <= kMaxDenseInputs,
               "a layer has 1 to 128 inputs and 1 to 1024 outputs");
        outputs_ = static_cast<int>(weight.shape(0)), inputs_ = static_cast<int>(weight.shape(1));
        sets_ = static_cast<int>(bias.shape(0));
        expect(bias.shape(1) == outputs_ && multiplier.shape(0) == outputs_ && shift.shape(0) == outputs_ && sets_ > 0,
               "shapes of a layer do not agree");
        const int words = (inputs_ + 3) / 4, lanes = (outputs_ + kLanes - 1) / kLanes * kLanes;
        weights_.assign(static_cast<size_t>(words) * lanes * 4, 128);
        for (auto* list : {&multiplier_, &half_, &shift_}) list->assign(static_cast<size_t>(lanes), 0);
        bias_.assign(static_cast<size_t>(sets_) * lanes, 0);
        for (int j = 0; j < outputs_; ++j) {
            multiplier_[j] = *multiplier.data(j), shift_[j] = *shift.data(j);
            expect(shift_[j] >= 0 && shift_[j] < 31, "a shift is 0 to 30");
            half_[j] = 1 << shift_[j] >> 1;
            for (int set = 0; set < sets_; ++set) bias_[set * lanes + j] = *bias.data(set, j);
            for (int i = 0; i < inputs_; ++i)
                weights_[(i / 4 * lanes + j) * 4 + i % 4] = static_cast<uint8_t>(*weight.data(j, i) + 128);
        }
        layer_ = {words, lanes, weights_.data(), multiplier_.data(), half_.data(), shift_.data()};
    }
    IntegerDense(const IntegerDense&) = delete;
    IntegerDense& operator=(const IntegerDense&) = delete;

    int inputs() const { return inputs_; }
    int outputs() const { return outputs_; }
    int sets() const { return sets_; }

    void run(const DenseInputs& x, DenseOutputs& out, int64_t set = 0) const {
        kernels_.transformer_dense(layer_, x.bytes, bias_.data() + static_cast<size_t>(set) * layer_.lanes, out.at);
    }

  private:
    const Kernels& kernels_;
    int inputs_ = 0, outputs_ = 0, sets_ = 0;
    std::vector<uint8_t> weights_;
    std::vector<int32_t> bias_, multiplier_, half_, shift_;
    TransformerDense layer_{};
};

/// Numbers of a batch of tokens, [patches, tokens, width].
template <class T>
void expect_tokens(const Array<T>& x, py::ssize_t batch, py::ssize_t tokens, py::ssize_t width) {
    expect(x.ndim() == 3 && x.shape(0) == batch && x.shape(1) == tokens && x.shape(2) == width,
           "shapes of tokens and layers do not agree");
}

}  // namespace nlvc
