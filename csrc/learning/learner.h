// Code length of examples under a network, and its gradient: what a model is trained and fitted with (pynlvc/fitting,
// pynlvc/training). Nothing here is normative and nothing here codes: numbers are floating point.
//
// The network is that of docs/bitstream.md section 5 for one slope. Its integers come as floats, so the forward pass
// is exact up to the rounding of activations; the gradient is that of the network without its roundings.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nlvc {

constexpr int kDenseLayers = 5;     ///< w1, w2, w3, w4, wo
constexpr int kMixtureOutputs = 9;  ///< logits, offsets, scales of three logistics

/// Sizes of a network, counting only the taps that the slope reveals.
struct LearnerShape {
    int inputs, errors;  ///< taps of the first and second list
    int h1, h2, g;       ///< widths, 1..255

    /// Outputs and inputs of a dense layer.
    int rows(int layer) const;
    int columns(int layer) const;
    /// Where the numbers of a layer stand in `values`: weights [rows][columns], then biases [rows] (both as they stand
    /// in the model file), then the value of accumulator 1 [rows], m / 2^s of section 5.
    size_t layer_start(int layer) const;
    /// After the layers: wl [inputs], wm [h2], bl.
    size_t linear_start() const { return layer_start(kDenseLayers); }
    size_t size() const { return linear_start() + static_cast<size_t>(inputs + h2 + 1); }
};

/// Samples with all that the network sees of them.
struct LearnerBatch {
    const int8_t* inputs;  ///< [count][shape.inputs]
    const int8_t* errors;  ///< [count][shape.errors]
    const float* anchors;  ///< [count], samples
    const float* samples;  ///< [count]
    size_t count;
    int depth, q;
};

/// One implementation: the ideal code length of all samples in bits, and, unless `gradient` is nullptr, its derivative
/// by each of `values`, which is added to `gradient`.
struct Learner {
    const char* name;
    double (*run)(const LearnerShape& shape, const float* values, const LearnerBatch& batch, float* gradient);
};

extern const Learner kPlainLearner;  ///< any processor, float32
#if defined(__x86_64__)
extern const Learner kAvx2Learner;  ///< AVX2 and FMA, the same arithmetic
extern const Learner kBf16Learner;  ///< AVX-512 with bfloat16: gradients of layers are rounded to it before products
#endif

constexpr size_t kLearnerPart = 2048;  ///< samples that one thread takes at a time

/// Learner::run in parts of kLearnerPart samples on a number of threads, of which the result does not depend.
double learn(const Learner& learner, const LearnerShape& shape, const float* values, const LearnerBatch& batch,
             float* gradient, int threads);

/// Those that this processor can run, slowest first.
std::vector<const Learner*> available_learners();

/// The one with this name, or the fastest for an empty name; std::invalid_argument names those there are.
const Learner& choose_learner(const std::string& name = "");

}  // namespace nlvc
