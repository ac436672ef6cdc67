#include "sample_map.h"

#include <cmath>
#include <numeric>

namespace nlvc {
namespace {

constexpr int kLeastDepth = 8;
constexpr int kMostFailures = 2;
constexpr int64_t kSamplesPerValue = 128;  ///< on average, so that a hole in the histogram is no chance

int bits_for(int count) {
    int bits = 0;
    while ((1 << bits) < count) ++bits;
    return bits;
}

bool is_shift(Numbering kind) { return kind == Numbering::kShift || kind == Numbering::kReplicate; }

/// What n * maximum / top is: `floor` and whether the rest is less than a half, a half or more (-1, 0, 1).
struct Scaled {
    int floor;
    int half;
    Scaled(int n, int top, int depth) {
        const int64_t product = int64_t{n} * ((1 << depth) - 1);
        const int64_t rest = 2 * (product % top);
        floor = static_cast<int>(product / top);
        half = rest < top ? -1 : rest > top ? 1 : 0;
    }
};

/// docs/bitstream.md section 1.1. @param up  for halves
int value_of(Numbering kind, int parameter, int depth, int n, bool up) {
    if (kind == Numbering::kShift) return n << (depth - parameter);
    if (kind == Numbering::kReplicate) return n << (depth - parameter) | n >> (2 * parameter - depth);
    const Scaled scaled(n, parameter, depth);
    const bool above = kind == Numbering::kNearest && (scaled.half > 0 || (scaled.half == 0 && up));
    return scaled.floor + (above ? 1 : 0);
}

/// Whether it can be no chance that `count` values are among the `numbers` that a formula can give, one of `tried`.
bool convincing(size_t count, int numbers, int depth, double tried) {
    constexpr double kBits = 20;
    return static_cast<double>(count) * (depth - std::log2(numbers)) >= std::log2(tried) + kBits;
}

/// The formula if it gives all values and there are enough of them, else the identity. @param tried  formulas in all
ValueMap formula(Numbering kind, int parameter, int depth, const std::vector<uint16_t>& values, double tried) {
    const int64_t maximum = (1 << depth) - 1;
    const int count = is_shift(kind) ? 1 << parameter : parameter + 1;
    // A half may give either of two values.
    const int divisor = std::gcd(static_cast<int>(maximum), parameter);
    const bool any_halves = kind == Numbering::kNearest && parameter / divisor % 2 == 0;
    if (!convincing(values.size(), count + (any_halves ? divisor : 0), depth, tried)) return {};
    std::vector<int> halves;  // numbers
    bool to_even = true;
    int last = -1;
    std::vector<bool> up;
    for (const int v : values) {
        int n = 0;
        if (is_shift(kind))
            n = v >> (depth - parameter);
        else if (kind == Numbering::kFloor)
            n = static_cast<int>((int64_t{v} * parameter + maximum - 1) / maximum);
        else
            n = static_cast<int>((int64_t{v} * parameter + maximum / 2) / maximum);
        if (n == last) return {};
        last = n;
        const int below = value_of(kind, parameter, depth, n, false);
        if (below != v && value_of(kind, parameter, depth, n, true) != v) return {};
        if (kind != Numbering::kNearest || Scaled(n, parameter, depth).half != 0) continue;
        up.resize(static_cast<size_t>(count));
        up[n] = below != v;
        halves.push_back(n);
        to_even = to_even && v % 2 == 0;
    }
    // Halves that no sample has shown yet: as the others, or else up.
    std::vector<bool> known(kind == Numbering::kNearest ? static_cast<size_t>(count) : 0);
    up.resize(known.size());
    for (const int n : halves) known[n] = true;
    for (size_t n = 0; n < known.size(); ++n)
        if (!known[n]) up[n] = !to_even || value_of(kind, parameter, depth, static_cast<int>(n), true) % 2 == 0;
    return ValueMap(kind, parameter, depth, std::move(up));
}

}  // namespace

ValueMap::ValueMap(Numbering kind, int parameter, int depth, std::vector<bool> up)
    : kind_(kind), parameter_(parameter), up_(std::move(up)) {
    const int count = is_shift(kind) ? 1 << parameter : parameter + 1;
    up_.resize(static_cast<size_t>(count));
    for (int n = 0; n < count; ++n)
        values_.push_back(static_cast<uint16_t>(value_of(kind, parameter, depth, n, up_[n])));
    index(depth);
}

ValueMap::ValueMap(std::vector<uint16_t> values, int depth) : kind_(Numbering::kList), values_(std::move(values)) {
    index(depth);
}

void ValueMap::index(int depth) {
    numbers_.assign(size_t{1} << depth, -1);
    for (size_t n = 0; n < values_.size(); ++n) numbers_[values_[n]] = static_cast<int32_t>(n);
}

bool ValueMap::covers(const std::vector<uint16_t>& samples) const {
    if (kind_ == Numbering::kIdentity) return true;
    int32_t any = 0;
    for (const uint16_t v : samples) any |= numbers_[v];
    return any >= 0;
}

int ValueMap::between(int least, int most) const {
    return kind_ == Numbering::kIdentity ? most - least + 1 : numbers_[most] - numbers_[least] + 1;
}

void ValueMap::number(Plane& plane) const {
    if (kind_ == Numbering::kIdentity) return;
    for (uint16_t& v : plane.values) v = static_cast<uint16_t>(numbers_[v]);
}

void ValueMap::restore(Plane& plane) const {
    if (kind_ == Numbering::kIdentity) return;
    for (uint16_t& v : plane.values) {
        if (v >= values_.size()) throw BitstreamError("packet: a sample has a number that its sample map lacks");
        v = values_[v];
    }
}

void ValueMap::write(Writer& out, int depth) const {
    out.u8(static_cast<int>(kind_));
    if (kind_ == Numbering::kIdentity) return;
    if (kind_ == Numbering::kList) {
        out.varint(values_.size());
        int next = 0;  // least possible value
        for (const int v : values_) {
            out.varint(static_cast<uint64_t>(v - next));
            next = v + 1;
        }
        return;
    }
    out.varint(static_cast<uint64_t>(parameter_));
    if (kind_ == Numbering::kNearest)
        for (int n = 0; n <= parameter_; ++n)
            if (Scaled(n, parameter_, depth).half == 0) out.u8(up_[n] ? 1 : 0);
}

int SampleMap::coded_depth(int depth) const {
    if (identity()) return depth;
    int most = 1;
    for (const ValueMap& map : planes) most = std::max(most, map.count(depth));
    return std::max(kLeastDepth, bits_for(most));
}

bool SampleMap::covers(const std::vector<Plane>& samples) const {
    for (size_t p = 0; p < planes.size(); ++p)
        if (!planes[p].covers(samples[p].values)) return false;
    return true;
}

void SampleMap::number(std::vector<Plane>& samples) const {
    for (size_t p = 0; p < planes.size(); ++p) planes[p].number(samples[p]);
}

void SampleMap::restore(std::vector<Plane>& samples) const {
    for (size_t p = 0; p < planes.size(); ++p) planes[p].restore(samples[p]);
}

Bytes SampleMap::write(int depth) const {
    Writer out;
    for (const ValueMap& map : planes) map.write(out, depth);
    return std::move(out.bytes);
}

SampleMap read_sample_map(ByteView bytes, const PictureFormat& format) {
    SampleMap map;
    if (bytes.size == 0) return map;
    Reader in(bytes, "sample map");
    for (int p = 0; p < format.planes(); ++p) {
        const auto kind = static_cast<Numbering>(in.u8_in(0, 5, "numbering"));
        if (kind == Numbering::kIdentity) {
            map.planes.emplace_back();
        } else if (kind == Numbering::kList) {
            const int64_t count = in.varint_in(1, format.maximum() + 1, "number of values");
            std::vector<uint16_t> values;
            int64_t next = 0;
            for (int64_t i = 0; i < count; ++i) {
                const int64_t value = next + in.varint_in(0, format.maximum(), "value");
                if (value > format.maximum()) in.fail("value", "is beyond the depth");
                values.push_back(static_cast<uint16_t>(value));
                next = value + 1;
            }
            map.planes.emplace_back(std::move(values), format.depth);
        } else {
            const int64_t parameter = is_shift(kind) ? in.varint_in(kLeastDepth, format.depth - 1, "bits of a number")
                                                     : in.varint_in(1, format.maximum(), "greatest number");
            const int top = static_cast<int>(parameter);
            std::vector<bool> up;
            if (kind == Numbering::kNearest)
                for (int n = 0; n <= top; ++n)
                    up.push_back(Scaled(n, top, format.depth).half == 0 && in.u8_in(0, 1, "direction of a half") == 1);
            map.planes.emplace_back(kind, top, format.depth, std::move(up));
        }
    }
    in.expect_end();
    return map;
}

SampleMapChooser::SampleMapChooser(const PictureFormat& format)
    : format_(format),
      seen_(static_cast<size_t>(format.planes()), std::vector<uint8_t>(size_t{1} << format.depth)),
      lists_(static_cast<size_t>(format.planes()), true),
      failures_(static_cast<size_t>(format.planes())) {}

SampleMap SampleMapChooser::choose(const std::vector<Plane>& samples, const SampleMap& last, bool failed) {
    if (failed)
        for (size_t p = 0; p < last.planes.size(); ++p) {
            if (last.planes[p].covers(samples[p].values)) continue;
            if (last.planes[p].kind() == Numbering::kList) lists_[p] = false;
            ++failures_[p];
        }
    std::vector<std::vector<uint16_t>> values(samples.size());
    std::vector<ValueMap> formulas;
    ValueMap common;  // what a plane follows that shows too few values by itself, such as constant alpha
    for (size_t p = 0; p < samples.size(); ++p) {
        std::vector<uint8_t>& seen = seen_[p];
        for (const uint16_t v : samples[p].values) seen[v] = 1;
        for (size_t v = 0; v < seen.size(); ++v)
            if (seen[v] != 0) values[p].push_back(static_cast<uint16_t>(v));
        formulas.push_back(find_formula(values[p]));
        if (common.kind() == Numbering::kIdentity) common = formulas.back();
    }
    SampleMap map;
    bool any = false;
    for (size_t p = 0; p < samples.size(); ++p) {
        const bool follows = formulas[p].kind() == Numbering::kIdentity && common.covers(values[p]);
        map.planes.push_back(
            choose_plane(static_cast<int>(p), values[p], samples[p].values, follows ? common : formulas[p]));
        any = any || map.planes.back().kind() != Numbering::kIdentity;
    }
    return any ? map : SampleMap{};
}

ValueMap SampleMapChooser::find_formula(const std::vector<uint16_t>& values) const {
    const int depth = format_.depth, maximum = format_.maximum();
    for (int bits = kLeastDepth; bits < depth; ++bits)
        for (const Numbering kind : {Numbering::kShift, Numbering::kReplicate}) {
            ValueMap map = formula(kind, bits, depth, values, 2.0 * depth);
            if (map.kind() == kind) return map;
        }
    // Of r values without a gap, top > maximum * (r - 1) / r follows: most content ends the search here.
    int run = 1, longest = 1;
    for (size_t i = 1; i < values.size(); ++i) {
        run = values[i] == values[i - 1] + 1 ? run + 1 : 1;
        longest = std::max(longest, run);
    }
    for (int top = maximum / longest * (longest - 1) + 1; top <= maximum / 8 * 7; ++top)
        for (const Numbering kind : {Numbering::kFloor, Numbering::kNearest}) {
            ValueMap map = formula(kind, top, depth, values, 2.0 * maximum);
            if (map.kind() == kind) return map;
        }
    return {};
}

ValueMap SampleMapChooser::choose_plane(int p, const std::vector<uint16_t>& values,
                                        const std::vector<uint16_t>& samples, const ValueMap& formula) const {
    if (failures_[p] >= kMostFailures) return {};
    const auto count = static_cast<int64_t>(values.size()), many = static_cast<int64_t>(samples.size());
    const int64_t span = formula.between(values.front(), values.back());
    const bool sparse = count >= 2 && 4 * count <= 3 * span;
    if (!lists_[p] || !sparse || many < kSamplesPerValue * count) return formula;
    // Gaps must lie where the samples are. Those among the rare values at both ends of natural content are filled by
    // the frames to come, and then cost a keyframe.
    if (formula.kind() != Numbering::kIdentity) return ValueMap(values, format_.depth);
    const std::vector<uint8_t>& seen = seen_[p];
    const auto beside_gap = std::count_if(samples.begin(), samples.end(), [&](uint16_t v) {
        return static_cast<size_t>(v) + 1 < seen.size() && seen[v + size_t{1}] == 0;
    });
    return 4 * static_cast<int64_t>(beside_gap) >= many ? ValueMap(values, format_.depth) : formula;
}

}  // namespace nlvc
