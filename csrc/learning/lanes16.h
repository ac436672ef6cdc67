// Sixteen floats side by side, by the vector extension that GCC and Clang share: compilers make of it what the
// instruction set of the file has.
#pragma once
#include <cstdint>
#include <cstring>

namespace nlvc {
namespace {  // compiled for several instruction sets

using Lanes16 = float __attribute__((vector_size(64)));
using Integers16 = int32_t __attribute__((vector_size(64)));

inline void load(const float* from, Lanes16& to) { std::memcpy(&to, from, sizeof to); }
inline void store(const Lanes16& from, float* to) { std::memcpy(to, &from, sizeof from); }

inline void within(const Lanes16& x, float least, float most, Lanes16& out) {
    const Lanes16 low = x > least ? x : Lanes16{} + least;
    out = low < most ? low : Lanes16{} + most;
}

/// e^x within 2e-7 of its size, x clipped to -87..87.
inline void exponential(const Lanes16& x, Lanes16& out) {
    Lanes16 t;
    within(x, -87.0f, 87.0f, t);
    t *= 1.44269504f;
    const Integers16 whole = __builtin_convertvector(t + 256.5f, Integers16) - 256;  // to the nearest: t > -256
    const Lanes16 f = (t - __builtin_convertvector(whole, Lanes16)) * 0.693147181f;
    Lanes16 p = f * (1.0f / 720) + 1.0f / 120;
    p = p * f + 1.0f / 24;
    p = p * f + 1.0f / 6;
    p = p * f + 0.5f;
    p = p * f + 1.0f;
    p = p * f + 1.0f;
    const Integers16 power = (whole + 127) << 23;
    Lanes16 two;
    std::memcpy(&two, &power, sizeof two);
    out = p * two;
}

}  // namespace
}  // namespace nlvc
