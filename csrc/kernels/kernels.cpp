#include "kernels/kernels.h"

#include "named.h"

namespace nlvc {

std::vector<const Kernels*> available_kernels() {
    std::vector<const Kernels*> tables = {&kScalarKernels};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) tables.push_back(&kAvx2Kernels);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni"))
        tables.push_back(&kAvx512Kernels);
#elif defined(__aarch64__)
    tables.push_back(&kNeonKernels);
#endif
    return tables;
}

const Kernels& choose_kernels(const std::string& name) {
    return choose_named(available_kernels(), name, "there are no kernels named");
}

}  // namespace nlvc
