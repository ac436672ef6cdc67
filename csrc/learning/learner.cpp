#include "learning/learner.h"

#include <algorithm>

#include "named.h"
#include "thread_pool.h"

namespace nlvc {

int LearnerShape::rows(int layer) const {
    const int rows[kDenseLayers] = {h1, h2, g, g, kMixtureOutputs};
    return rows[layer];
}

int LearnerShape::columns(int layer) const {
    const int columns[kDenseLayers] = {inputs, h1, h2 + errors, g, g};
    return columns[layer];
}

size_t LearnerShape::layer_start(int layer) const {
    size_t start = 0;
    for (int l = 0; l < layer; ++l) start += static_cast<size_t>(rows(l)) * static_cast<size_t>(columns(l) + 2);
    return start;
}

double learn(const Learner& learner, const LearnerShape& shape, const float* values, const LearnerBatch& batch,
             float* gradient, int threads) {
    const size_t parts = (batch.count + kLearnerPart - 1) / kLearnerPart;
    const size_t size = gradient != nullptr ? shape.size() : 0;
    std::vector<float> gradients(parts * size);
    std::vector<double> bits(parts);
    auto run = [&](int part) {
        const auto p = static_cast<size_t>(part);
        const size_t start = p * kLearnerPart;
        LearnerBatch own = batch;
        own.inputs += start * static_cast<size_t>(shape.inputs);
        own.errors += start * static_cast<size_t>(shape.errors);
        own.anchors += start;
        own.samples += start;
        own.count = std::min(kLearnerPart, batch.count - start);
        bits[p] = learner.run(shape, values, own, gradient != nullptr ? gradients.data() + p * size : nullptr);
    };
    ThreadPool(std::min(threads, static_cast<int>(std::max<size_t>(1, parts)))).run(static_cast<int>(parts), run);
    double total = 0;
    for (size_t p = 0; p < parts; ++p) {
        total += bits[p];
        for (size_t i = 0; i < size; ++i) gradient[i] += gradients[p * size + i];
    }
    return total;
}

std::vector<const Learner*> available_learners() {
    std::vector<const Learner*> out{&kPlainLearner};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) out.push_back(&kAvx2Learner);
    if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        out.push_back(&kBf16Learner);
#endif
    return out;
}

const Learner& choose_learner(const std::string& name) {
    return choose_named(available_learners(), name, "there is no learner named");
}

}  // namespace nlvc
