#include "learning/learner.h"

#include <stdexcept>

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
    const std::vector<const Learner*> all = available_learners();
    if (name.empty()) return *all.back();
    std::string known;
    for (const Learner* learner : all) {
        if (name == learner->name) return *learner;
        known += std::string(known.empty() ? "" : ", ") + learner->name;
    }
    throw std::invalid_argument("no learner " + name + ", only " + known);
}

}  // namespace nlvc
