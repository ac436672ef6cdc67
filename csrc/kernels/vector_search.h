// The search for samples and their way out of the range coder (docs/bitstream.md section 7), a part of vector.h.

inline Logistics distribution(const MixtureBatch& m, int lane) {
    Logistics one;
    for (int k = 0; k < kLogistics; ++k) {
        one.weight[k] = set(m.weight[k][lane]);
        one.centre[k] = set(m.centre[k][lane]);
        one.inverse[k] = set(m.inverse[k][lane]);
    }
    return one;
}

/// Samples `stride` apart whose bounds are compared with the code at once: `count` of them.
struct Window {
    int32_t base, stride, count;
};

/// Searches on where the first window leaves more than one sample.
__attribute__((noinline)) Found search(const PendingSamples& p, int lane, uint64_t unit, uint64_t code) {
    const int depth = p.depth;
    const Logistics one = distribution(p.mixture, lane);
    const uint32_t* bound = p.bounds[lane];
    Window window{p.base[lane], p.stride[lane], kFirstWindow};
    int lo = 0, hi = 1 << depth;  // the symbol lies in [lo, hi); the bounds of both ends are known
    uint32_t lo_bound = 0, hi_bound = kProbabilityOne;
    int growth = 1, reach = __builtin_ctz(~reached(bound, unit, code));
    alignas(64) uint32_t next[kLanes];
    while (true) {
        const int last = window.base + (reach - 1) * window.stride;  // C(v) rises: the reached bounds come first
        if (reach > 0 && last > lo) lo = last, lo_bound = bound[reach - 1];
        if (reach < window.count && last + window.stride < hi)
            hi = most(last + window.stride, 0), hi_bound = bound[reach];
        if (hi - lo <= 1) return {lo, lo_bound, hi_bound};
        // Beyond the window: the next one on that side, then wider ones, unless sixteen samples cut what is left more
        // finely.
        const int even = (hi - lo + kLanes) / (kLanes + 1);
        const bool outside = reach == 0 || reach == window.count;
        const int stride = outside ? least(window.stride * growth, even) : even;
        window = {outside && reach == 0 ? hi - kLanes * stride : lo + stride, stride, kLanes};
        growth = 8;
        const I32 c =
            bounds(one, add(set(window.base), mul(load(kLaneNumbers), set(stride))), depth, p.q, kNeverReached);
        store(reinterpret_cast<int32_t*>(next), c);
        bound = next;
        reach = __builtin_ctz(~(reached(next, unit, code) | reached(next + kFirstWindow, unit, code) << kFirstWindow));
    }
}

/// RangeDecoder::consume, for this file's instruction set, without branches but for what hardly ever happens.
inline void consume(DecoderState& s, uint64_t unit, uint32_t low, uint32_t high) {
    const uint64_t rest = s.range - unit * low, part = unit * (high - low);
    uint64_t range = high == static_cast<uint32_t>(kProbabilityOne) ? rest : part;
    uint64_t code = s.code - unit * low;
    do {
        uint64_t word = 0;
        if (__builtin_expect(s.position + 2 <= s.size, 1))
            word = static_cast<uint64_t>(s.data[s.position]) << 8 | s.data[s.position + 1];
        else if (s.position < s.size)
            word = static_cast<uint64_t>(s.data[s.position]) << 8;
        const uint64_t few = range < kLeastRange ? 1 : 0;
        const int shift = static_cast<int>(few << 4);
        code = code << shift | (word & (0 - few));
        range <<= shift;
        s.position += 2 * few;
    } while (__builtin_expect(range < kLeastRange, 0));
    s.code = code;
    s.range = range;
}

inline void take(const PendingSamples& p, int lane, DecoderState& s, uint64_t unit, Found found) {
    if (found.high > static_cast<uint32_t>(kProbabilityOne)) found.high = kProbabilityOne;
    consume(s, unit, found.low, found.high);
    p.samples[lane] = static_cast<uint16_t>(found.sample);
}

/// Decodes a lane whose sample lies in the first window; else does nothing and returns false.
inline bool decode_likely(const PendingSamples& p, int lane, DecoderState& s) {
    const uint64_t unit = s.range >> kProbabilityBits;
    const uint32_t* bound = p.bounds[lane];
    const int reach = __builtin_ctz(~reached(bound, unit, s.code));
    if (__builtin_expect(p.stride[lane] != 1 || reach == 0 || reach == kFirstWindow, 0)) return false;
    take(p, lane, s, unit, {p.base[lane] + reach - 1, bound[reach - 1], bound[reach]});
    return true;
}

inline void decode_lane(const PendingSamples& p, int lane, DecoderState& s) {
    if (decode_likely(p, lane, s)) return;
    const uint64_t unit = s.range >> kProbabilityBits;
    take(p, lane, s, unit, search(p, lane, unit, s.code));
}

void finish(PendingSamples& p) {
    DecoderState s = *p.coder;
    for (; p.next < p.count; ++p.next) decode_lane(p, p.next, s);
    *p.coder = s;
}

/// decode_lane, out of the way of what is done beside it
__attribute__((noinline)) void decode_apart(const PendingSamples& p, int lane, DecoderState& s) {
    decode_lane(p, lane, s);
}

/// Decodes the lanes of one batch between the steps of another's network: each lane waits for the one before it, so
/// that alone they would leave most of the processor idle.
class Beside {
  public:
    Beside(PendingSamples& pending, int steps)
        : p_(pending), s_(*pending.coder), period_(most(1, steps / kLanes)), left_(period_) {}
    ~Beside() { *p_.coder = s_; }
    /// Between two steps. Calls no function: what the network has in registers stays there.
    void operator()() {
        if (--left_ != 0) return;
        left_ = period_;
        if (p_.next == p_.count) return;
        if (__builtin_expect(decode_likely(p_, p_.next, s_), 1))
            ++p_.next;
        else
            left_ = kNever;
    }
    /// Between two layers or parts of them: decodes a lane that takes longer.
    void settle() {
        if (__builtin_expect(left_ <= period_, 1)) return;
        left_ = period_;
        decode_apart(p_, p_.next++, s_);
    }

  private:
    static constexpr int kNever = 1 << 30;
    PendingSamples& p_;
    DecoderState s_;
    int period_, left_;
};
