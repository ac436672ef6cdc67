// Kernels for 64-bit ARM, all of which have NEON: four registers hold the sixteen lanes.
#if defined(__aarch64__)
#include <arm_neon.h>

#include <new>
#include <utility>

#include "kernels/kernels.h"
#include "kernels/pack.h"
#include "kernels/vector_tables.h"

namespace nlvc {
namespace {

struct I32 {
    int32x4_t quad[4];  ///< lanes 0..3, 4..7, 8..11, 12..15
};
using Mask = I32;  // all ones or zero in each lane

constexpr const char* kName = "neon";
constexpr int kRows = 4;

/// The same for each four lanes.
template <class Function>
inline I32 each(Function f) {
    return {{f(0), f(1), f(2), f(3)}};
}
inline int32x4_t as_signed(uint32x4_t a) { return vreinterpretq_s32_u32(a); }
inline uint32x4_t as_unsigned(int32x4_t a) { return vreinterpretq_u32_s32(a); }

inline I32 set(int32_t v) {
    return each([&](int) { return vdupq_n_s32(v); });
}
inline I32 load(const int32_t* p) {
    return each([&](int i) { return vld1q_s32(p + 4 * i); });
}
inline void store(int32_t* p, I32 a) {
    for (int i = 0; i < 4; ++i) vst1q_s32(p + 4 * i, a.quad[i]);
}
inline I32 load_u16(const uint16_t* p) {
    return each([&](int i) { return as_signed(vmovl_u16(vld1_u16(p + 4 * i))); });
}
inline I32 load_u8(const int8_t* p) {
    const uint8x16_t bytes = vreinterpretq_u8_s8(vld1q_s8(p));
    const uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_high_u8(bytes);
    return {{as_signed(vmovl_u16(vget_low_u16(low))), as_signed(vmovl_high_u16(low)),
             as_signed(vmovl_u16(vget_low_u16(high))), as_signed(vmovl_high_u16(high))}};
}
inline I32 add(I32 a, I32 b) {
    return each([&](int i) { return vaddq_s32(a.quad[i], b.quad[i]); });
}
inline I32 sub(I32 a, I32 b) {
    return each([&](int i) { return vsubq_s32(a.quad[i], b.quad[i]); });
}
inline I32 mul(I32 a, I32 b) {
    return each([&](int i) { return vmulq_s32(a.quad[i], b.quad[i]); });
}
inline I32 min(I32 a, I32 b) {
    return each([&](int i) { return vminq_s32(a.quad[i], b.quad[i]); });
}
inline I32 max(I32 a, I32 b) {
    return each([&](int i) { return vmaxq_s32(a.quad[i], b.quad[i]); });
}
inline I32 band(I32 a, I32 b) {
    return each([&](int i) { return vandq_s32(a.quad[i], b.quad[i]); });
}
inline I32 bor(I32 a, I32 b) {
    return each([&](int i) { return vorrq_s32(a.quad[i], b.quad[i]); });
}
inline I32 bxor(I32 a, I32 b) {
    return each([&](int i) { return veorq_s32(a.quad[i], b.quad[i]); });
}
inline I32 srl_by(I32 a, I32 b) {
    return each([&](int i) { return as_signed(vshlq_u32(as_unsigned(a.quad[i]), vnegq_s32(b.quad[i]))); });
}
inline I32 sra_by(I32 a, I32 b) {
    return each([&](int i) { return vshlq_s32(a.quad[i], vnegq_s32(b.quad[i])); });
}
inline I32 sll(I32 a, int n) {
    return each([&](int i) { return vshlq_s32(a.quad[i], vdupq_n_s32(n)); });
}
inline I32 srl(I32 a, int n) { return srl_by(a, set(n)); }
inline I32 sra(I32 a, int n) { return sra_by(a, set(n)); }
inline I32 absolute(I32 a) {
    return each([&](int i) { return vabsq_s32(a.quad[i]); });
}
inline Mask less(I32 a, I32 b) {
    return each([&](int i) { return as_signed(vcltq_s32(a.quad[i], b.quad[i])); });
}
inline Mask both(Mask m, Mask n) { return band(m, n); }
inline I32 keep(Mask m, I32 a) { return band(m, a); }
inline I32 blend(Mask m, I32 a, I32 b) {
    return each([&](int i) { return vbslq_s32(as_unsigned(m.quad[i]), b.quad[i], a.quad[i]); });
}
inline void store_bytes(int8_t* p, I32 a) {
    const int16x8_t low = vcombine_s16(vmovn_s32(a.quad[0]), vmovn_s32(a.quad[1]));
    const int16x8_t high = vcombine_s16(vmovn_s32(a.quad[2]), vmovn_s32(a.quad[3]));
    vst1q_s8(p, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}
inline void store_turned(const I32* columns, uint32_t (*rows)[kFirstWindow]) {
    for (int i = 0; i < kLanes / 4; ++i)
        for (int first = 0; first < kFirstWindow; first += 4) {
            const I32* c = columns + first;
            const int32x4x2_t ab = vzipq_s32(c[0].quad[i], c[2].quad[i]), cd = vzipq_s32(c[1].quad[i], c[3].quad[i]);
            const int32x4x2_t low = vzipq_s32(ab.val[0], cd.val[0]), high = vzipq_s32(ab.val[1], cd.val[1]);
            const int32x4_t turned[4] = {low.val[0], low.val[1], high.val[0], high.val[1]};
            for (int lane = 0; lane < 4; ++lane) vst1q_u32(rows[4 * i + lane] + first, as_unsigned(turned[lane]));
        }
}
inline I32 adds_u8(I32 a, I32 b) {
    return each([&](int i) {
        return vreinterpretq_s32_u8(vqaddq_u8(vreinterpretq_u8_s32(a.quad[i]), vreinterpretq_u8_s32(b.quad[i])));
    });
}

/// Four lanes' sums of four products; an unsigned times a signed byte fits 16 bits.
inline int32x4_t dot4_quad(int32x4_t x, int16x8_t words_low, int16x8_t words_high) {
    const uint8x16_t bytes = vreinterpretq_u8_s32(x);
    const int16x8_t low = vmulq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes))), words_low);
    const int16x8_t high = vmulq_s16(vreinterpretq_s16_u16(vmovl_high_u8(bytes)), words_high);
    return vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high));
}
inline void dot4(I32& acc, I32 x, const int32_t* w) {
    const int16x8_t words = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(*w)));
    for (int i = 0; i < 4; ++i) acc.quad[i] = vaddq_s32(acc.quad[i], dot4_quad(x.quad[i], words, words));
}
inline void dot4_wide(I32& acc, I32 x, const int32_t* w) { dot4(acc, x, w); }
inline void dot4_each(I32& acc, I32 x, I32 w) {
    for (int i = 0; i < 4; ++i) {
        const int8x16_t words = vreinterpretq_s8_s32(w.quad[i]);
        const int32x4_t sums = dot4_quad(x.quad[i], vmovl_s8(vget_low_s8(words)), vmovl_high_s8(words));
        acc.quad[i] = vaddq_s32(acc.quad[i], sums);
    }
}

inline I32 bytes4(I32 a, I32 b, I32 c, I32 d) {
    alignas(16) static constexpr uint8_t kTurn[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    const uint8x16_t turn = vld1q_u8(kTurn);
    return each([&](int i) {
        const int16x8_t ab = vcombine_s16(vqmovn_s32(a.quad[i]), vqmovn_s32(b.quad[i]));
        const int16x8_t cd = vcombine_s16(vqmovn_s32(c.quad[i]), vqmovn_s32(d.quad[i]));
        return vreinterpretq_s32_u8(vqtbl1q_u8(vcombine_u8(vqmovun_s16(ab), vqmovun_s16(cd)), turn));
    });
}

inline I32 quotient(I32 a, I32 b) {
    // Exact: a / b differs from an integer above it by at least 1 / b, more than the rounding of a < 2^24.
    return each([&](int i) { return vcvtq_s32_f32(vdivq_f32(vcvtq_f32_s32(a.quad[i]), vcvtq_f32_s32(b.quad[i]))); });
}

inline I32 look_up(const int32_t* table, I32 index) {
    int32_t at[kLanes], found[kLanes];
    store(at, index);
    for (int lane = 0; lane < kLanes; ++lane) found[lane] = table[at[lane]];
    return load(found);
}

inline I32 pick(const int32_t* table, I32 index) { return look_up(table, index); }

#include "kernels/pair_lookups.h"

inline I32 tail(I32 u) {
    return tail_with(u, [](I32 delta, I32 fraction) { return mul(delta, fraction); });
}
struct Two {
    I32 first, second;
};
inline Two tails(I32 u, I32 v) { return {tail(u), tail(v)}; }

inline uint32_t reached(const uint32_t* bounds, uint64_t unit, uint64_t code) {
    const uint32x2_t u = vdup_n_u32(static_cast<uint32_t>(unit));  // below 2^24
    const uint64x2_t c = vdupq_n_u64(code);
    uint64x2_t bits = vdupq_n_u64(0);
    for (int i = 0; i < 4; ++i) {
        const uint64x2_t below = vcleq_u64(vmull_u32(vld1_u32(bounds + 2 * i), u), c);
        const uint64x2_t places = {uint64_t{1} << 2 * i, uint64_t{2} << 2 * i};
        bits = vorrq_u64(bits, vandq_u64(below, places));
    }
    return static_cast<uint32_t>(vaddvq_u64(bits));
}

// Each builds on those before it.
// clang-format off
#include "kernels/block_loops.h"
#include "kernels/product_loops.h"
#include "kernels/rows_neon.h"
#include "kernels/row_blocks.h"
#include "kernels/vector.h"
// clang-format on

}  // namespace

const Kernels kNeonKernels = table(nullptr);

}  // namespace nlvc

#endif
