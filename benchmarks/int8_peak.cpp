// The processor's int8 peak: multiply-accumulates per second of independent chains of the instruction that the kernels
// use, counted in processor time. Prints G/s. Compiled by benchmarks/speed.py with the flags of the kernels' file.
#include <immintrin.h>

#include <cstdio>
#include <ctime>

int main() {
    constexpr long kRounds = 20000000;
    constexpr int kChains = 12;
    const std::clock_t started = std::clock();
#if defined(__AVX512VNNI__)
    constexpr double kMacs = 64;
    __m512i acc[kChains] = {};
    const __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(5);
    for (long i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
        for (auto& sum : acc) asm volatile("vpdpbusd %1, %2, %0" : "+v"(sum) : "v"(a), "v"(b));
    }
#else
    constexpr double kMacs = 32;
    __m256i acc[kChains] = {};
    const __m256i a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(5), ones = _mm256_set1_epi16(1);
    for (long i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
        for (auto& sum : acc) {
            __m256i product = _mm256_maddubs_epi16(a, b);
            asm volatile("" : "+x"(product));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(product, ones));
            asm volatile("" : "+x"(sum));
        }
    }
#endif
    const double seconds = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
    std::printf("%.1f\n", kMacs * kChains * kRounds / seconds / 1e9);
}
