// The network and its gradient over tiles of samples, for any kind of product (see Product below).
//
//     taps --w1--> h1 --w2--> h2 --wm--+--> mean          rows of T samples side by side, one row for each feature
//         \_____________wl_____________/
//     [h2, errors] --w3--> g1 --w4--> (+ g1) g2 --wo--> o --> mixture_loss
#pragma once
#include <algorithm>

#include "learning/aligned_array.h"
#include "learning/learner.h"
#include "learning/mixture_loss.h"

namespace nlvc {
namespace {  // compiled for several instruction sets

constexpr int kTile = 128;      ///< samples
constexpr int kMostRows = 512;  ///< features of one layer's input at most, 2 x 255
constexpr float kLinearOne = 1 << 14;
constexpr float kMostActivation = 255.0f;

using Row = float[kTile];

inline float within(float x, float least, float most) {
    x = x > least ? x : least;  // where std::clamp hands out references, which keeps compilers from vectors
    return x < most ? x : most;
}

/// In this order whatever the vectors' length, but side by side.
inline float sum_of(const float* a) {
    float lanes[16] = {};
    for (int n = 0; n < kTile; n += 16)
        for (int k = 0; k < 16; ++k) lanes[k] += a[n + k];
    for (int half = 8; half > 0; half /= 2)
        for (int k = 0; k < half; ++k) lanes[k] += lanes[k + half];
    return lanes[0];
}

inline float dot(const float* a, const float* b) {
    Row products;
    for (int n = 0; n < kTile; ++n) products[n] = a[n] * b[n];
    return sum_of(products);
}

/// Product: how matrices are multiplied. Its operands are made of words that hold `kPair` neighbouring values along the
/// dimension that is summed over.
///     Word                                                  type of a word
///     kPair                                                 values in a word
///     left(rows, stride, count, n, words)                   [count][n] floats -> [count][ceil(n / kPair)]
///     right(rows, count, words)                             [count][T] floats -> [ceil(count / kPair)][T]
///     right_turned(rows, count, words, width)               [count][T] floats -> [T / kPair][width], count <= width
///     multiply<add>(a, rows, depth, b, columns, c, stride)  a [rows][depth] times b [depth][columns] -> c
///     [rows][stride],
///                                                           which it replaces or is added to
template <class Product>
class TileLearner {
    using Word = typename Product::Word;

  public:
    TileLearner(const LearnerShape& shape, const float* values, float* gradient)
        : shape_(shape), values_(values), gradient_(gradient), rows_(kMostRows * 8 * kTile) {
        for (int l = 0; l < kDenseLayers; ++l) layers_[l].prepare(shape, l, values, gradient);
    }

    /// Bits of the samples from `start` on, at most T; the gradient is added up in the layers.
    double tile(const LearnerBatch& batch, size_t start) {
        const int valid = static_cast<int>(std::min<size_t>(kTile, batch.count - start));
        Row* x = rows(0);
        Row* h1 = rows(1);
        Row* x2 = rows(2);  // h2, then the second tap list
        Row* g1 = rows(3);
        Row* a4 = rows(4);
        Row* g2 = rows(5);
        Row o[kMixtureOutputs], mean, sample;
        take_taps(batch.inputs, shape_.inputs, start, valid, x);
        take_taps(batch.errors, shape_.errors, start, valid, x2 + shape_.h2);
        layers_[0].forward(x, h1, true);
        layers_[1].forward(h1, x2, true);
        layers_[2].forward(x2, g1, true);
        layers_[3].forward(g1, a4, true);
        for (int j = 0; j < shape_.g; ++j)
            for (int n = 0; n < kTile; ++n) g2[j][n] = within(g1[j][n] + a4[j][n], 0.0f, kMostActivation);
        layers_[4].forward(g2, o, false);

        const float* linear = values_ + shape_.linear_start();
        const float* hidden = linear + shape_.inputs;
        const float unit = static_cast<float>(1 << batch.q);
        for (int n = 0; n < kTile; ++n) {
            mean[n] = hidden[shape_.h2];
            sample[n] = n < valid ? batch.samples[start + n] / unit : 0.0f;
        }
        add_weighted(linear, x, shape_.inputs, mean);
        add_weighted(hidden, x2, shape_.h2, mean);
        for (int n = 0; n < kTile; ++n)
            mean[n] = mean[n] / kLinearOne + (n < valid ? batch.anchors[start + n] / unit : 0.0f);
        const SampleRange range{static_cast<float>((1 << batch.depth) - 1) / unit, 1 / unit};
        Row d_o[kMixtureOutputs], d_mean;
        double bits = 0;
        for (int n = 0; n < kTile; n += 16) {
            Lanes16 m, v, is_valid = {}, probability, by_mean;
            load(mean + n, m);
            load(sample + n, v);
            for (int k = 0; k < 16; ++k) is_valid[k] = n + k < valid ? 1.0f : 0.0f;
            mixture_loss(o[0] + n, kTile, m, v, is_valid, range, probability, d_o[0] + n, by_mean);
            store(by_mean, d_mean + n);
            for (int k = 0; k < 16 && n + k < valid; ++k) bits -= std::log2(probability[k]);
        }
        if (gradient_ != nullptr) backward(x, h1, x2, g1, a4, o, d_o, d_mean);
        return bits;
    }

    /// Writes the layers' gradient to where it belongs.
    void finish() {
        for (Layer& layer : layers_) layer.add_gradient();
    }

  private:
    /// One dense layer, its packed weights and what a tile leaves for the way back.
    struct Layer {
        int outputs = 0, inputs = 0, width = 0;
        const float* bias = nullptr;
        const float* scale = nullptr;
        float* gradient = nullptr;                   // nullptr: nobody asks for one
        AlignedArray<Word> weights, turned_weights;  // as left factors, forward and backward
        AlignedArray<Word> x, x_turned, d_left, d_right;
        AlignedArray<float> sums;  // gradient of the weights, [outputs][width]
        AlignedArray<float> bias_sums, scale_sums;

        void prepare(const LearnerShape& shape, int layer, const float* values, float* to) {
            outputs = shape.rows(layer);
            inputs = shape.columns(layer);
            width = (inputs + 15) / 16 * 16;
            const float* weight = values + shape.layer_start(layer);
            bias = weight + static_cast<size_t>(outputs) * inputs;
            scale = bias + outputs;
            weights.resize(static_cast<size_t>(outputs) * words(inputs));
            Product::left(weight, inputs, outputs, inputs, weights.data());
            x.resize(static_cast<size_t>(words(inputs)) * kTile);
            if (to == nullptr) return;
            gradient = to + shape.layer_start(layer);
            AlignedArray<float> turned(static_cast<size_t>(outputs) * inputs);
            for (int j = 0; j < outputs; ++j)
                for (int i = 0; i < inputs; ++i) turned[static_cast<size_t>(i) * outputs + j] = weight[j * inputs + i];
            turned_weights.resize(static_cast<size_t>(inputs) * words(outputs));
            Product::left(turned.data(), outputs, inputs, outputs, turned_weights.data());
            x_turned.resize(static_cast<size_t>(kTile) / Product::kPair * width);
            d_left.resize(static_cast<size_t>(outputs) * kTile / Product::kPair);
            d_right.resize(static_cast<size_t>(words(outputs)) * kTile);
            sums.resize(static_cast<size_t>(outputs) * width);
            bias_sums.resize(static_cast<size_t>(outputs));
            scale_sums.resize(static_cast<size_t>(outputs));
        }

        static int words(int values) { return (values + Product::kPair - 1) / Product::kPair; }

        /// in [inputs][T] -> out [outputs][T]; activations are rounded and clipped.
        void forward(const Row* in, Row* out, bool activation) {
            Product::right(in, inputs, x.data());
            if (gradient != nullptr) Product::right_turned(in, inputs, x_turned.data(), width);
            Product::template multiply<false>(weights.data(), outputs, words(inputs), x.data(), kTile, out[0], kTile);
            for (int j = 0; j < outputs; ++j) {
                const float b = bias[j], s = scale[j];
                if (!activation) {
                    for (int n = 0; n < kTile; ++n) out[j][n] = (out[j][n] + b) * s;
                    continue;
                }
                for (int n = 0; n < kTile; ++n) {
                    const float a = within((out[j][n] + b) * s, 0.0f, kMostActivation);
                    out[j][n] = static_cast<float>(static_cast<int>(a + 0.5f));
                }
            }
        }

        /// d [outputs][T]: derivatives by the outputs `out`, which are overwritten; to [inputs][T]: those by the
        /// inputs, nullptr where nobody asks.
        void backward(Row* d, const Row* out, bool activation, Row* to) {
            for (int j = 0; j < outputs; ++j) {
                const float s = scale[j];
                if (activation)
                    for (int n = 0; n < kTile; ++n) {
                        const bool flows = (out[j][n] > 0.0f) & (out[j][n] < kMostActivation);
                        d[j][n] = flows ? d[j][n] : 0.0f;
                    }
                scale_sums[j] += dot(d[j], out[j]) / s;
                for (int n = 0; n < kTile; ++n) d[j][n] *= s;
                bias_sums[j] += sum_of(d[j]);
            }
            Product::left(d[0], kTile, outputs, kTile, d_left.data());
            Product::template multiply<true>(d_left.data(), outputs, kTile / Product::kPair, x_turned.data(), width,
                                             sums.data(), width);
            if (to == nullptr) return;
            Product::right(d, outputs, d_right.data());
            Product::template multiply<false>(turned_weights.data(), inputs, words(outputs), d_right.data(), kTile,
                                              to[0], kTile);
        }

        void add_gradient() {
            if (gradient == nullptr) return;
            for (int j = 0; j < outputs; ++j)
                for (int i = 0; i < inputs; ++i) gradient[static_cast<size_t>(j) * inputs + i] += sums[j * width + i];
            float* rest = gradient + static_cast<size_t>(outputs) * inputs;
            for (int j = 0; j < outputs; ++j) rest[j] += bias_sums[j];
            for (int j = 0; j < outputs; ++j) rest[outputs + j] += scale_sums[j];
        }
    };

    Row* rows(int which) { return reinterpret_cast<Row*>(rows_.data()) + which * kMostRows; }

    /// bytes [count][taps] -> rows [taps][T], zeros past `valid`.
    static void take_taps(const int8_t* from, int taps, size_t start, int valid, Row* to) {
        const int8_t* first = from + start * static_cast<size_t>(taps);
        for (int i = 0; i < taps; ++i)
            for (int n = 0; n < kTile; ++n)
                to[i][n] = n < valid ? static_cast<float>(first[static_cast<size_t>(n) * taps + i]) : 0.0f;
    }

    static void add_weighted(const float* weights, const Row* x, int count, float* sum) {
        for (int i = 0; i < count; ++i)
            for (int n = 0; n < kTile; ++n) sum[n] += weights[i] * x[i][n];
    }

    /// Adds to gradient[i] the sum of d times row i.
    static void add_products(const float* d, const Row* x, int count, float* gradient) {
        for (int i = 0; i < count; ++i) gradient[i] += dot(d, x[i]);
    }

    void backward(const Row* x, const Row* h1, const Row* x2, const Row* g1, const Row* a4, const Row* o, Row* d_o,
                  float* d_mean) {
        Row* d_g2 = rows(6);
        Row* d_x = rows(7);
        layers_[4].backward(d_o, o, false, d_g2);
        for (int j = 0; j < shape_.g; ++j)
            for (int n = 0; n < kTile; ++n) d_g2[j][n] = g1[j][n] + a4[j][n] <= kMostActivation ? d_g2[j][n] : 0.0f;
        Row* d_a4 = rows(5);  // g2 is not needed any more
        std::copy_n(d_g2[0], shape_.g * kTile, d_a4[0]);
        layers_[3].backward(d_a4, a4, true, d_x);
        for (int j = 0; j < shape_.g; ++j)
            for (int n = 0; n < kTile; ++n) d_x[j][n] += d_g2[j][n];
        Row* d_x2 = d_g2;
        layers_[2].backward(d_x, g1, true, d_x2);

        float* linear = gradient_ + shape_.linear_start();
        float* hidden = linear + shape_.inputs;
        const float* hidden_weights = values_ + shape_.linear_start() + shape_.inputs;
        for (int n = 0; n < kTile; ++n) d_mean[n] /= kLinearOne;
        add_products(d_mean, x, shape_.inputs, linear);
        add_products(d_mean, x2, shape_.h2, hidden);
        hidden[shape_.h2] += sum_of(d_mean);
        for (int j = 0; j < shape_.h2; ++j)
            for (int n = 0; n < kTile; ++n) d_x2[j][n] += hidden_weights[j] * d_mean[n];
        layers_[1].backward(d_x2, x2, true, d_x);
        layers_[0].backward(d_x, h1, true, nullptr);
    }

    const LearnerShape shape_;
    const float* values_;
    float* gradient_;
    Layer layers_[kDenseLayers];
    AlignedArray<float> rows_;
};

}  // namespace
}  // namespace nlvc
