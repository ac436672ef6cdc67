#include "sample_map.h"

namespace nlvc {
namespace {

constexpr int kLeastDepth = 8;
constexpr int64_t kSamplesPerValue = 128;  ///< on average, so that a hole in the histogram is no chance

int bits_for(int count) {
    int bits = 0;
    while ((1 << bits) < count) ++bits;
    return bits;
}

std::vector<uint16_t> expand(Numbering kind, int bits, int depth) {
    std::vector<uint16_t> values;
    for (int n = 0; n < 1 << bits; ++n) {
        const int low = kind == Numbering::kReplicate ? n >> (2 * bits - depth) : 0;
        values.push_back(static_cast<uint16_t>(n << (depth - bits) | low));
    }
    return values;
}

}  // namespace

ValueMap::ValueMap(Numbering kind, int bits, int depth) : kind_(kind), bits_(bits), values_(expand(kind, bits, depth)) {
    index(depth);
}

ValueMap::ValueMap(std::vector<uint16_t> values, int depth) : kind_(Numbering::kList), values_(std::move(values)) {
    index(depth);
}

void ValueMap::index(int depth) {
    numbers_.assign(size_t{1} << depth, -1);
    for (size_t n = 0; n < values_.size(); ++n) numbers_[values_[n]] = static_cast<int32_t>(n);
}

bool ValueMap::covers(const Plane& plane) const {
    if (kind_ == Numbering::kIdentity) return true;
    int32_t any = 0;
    for (const uint16_t v : plane.values) any |= numbers_[v];
    return any >= 0;
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

void ValueMap::write(Writer& out) const {
    out.u8(static_cast<int>(kind_));
    if (kind_ == Numbering::kShift || kind_ == Numbering::kReplicate) out.u8(bits_);
    if (kind_ != Numbering::kList) return;
    out.varint(values_.size());
    int next = 0;  // least possible value
    for (const int v : values_) {
        out.varint(static_cast<uint64_t>(v - next));
        next = v + 1;
    }
}

int SampleMap::coded_depth(int depth) const {
    if (identity()) return depth;
    int most = 1;
    for (const ValueMap& map : planes) most = std::max(most, map.count(depth));
    return std::max(kLeastDepth, bits_for(most));
}

bool SampleMap::covers(const std::vector<Plane>& samples) const {
    for (size_t p = 0; p < planes.size(); ++p)
        if (!planes[p].covers(samples[p])) return false;
    return true;
}

void SampleMap::number(std::vector<Plane>& samples) const {
    for (size_t p = 0; p < planes.size(); ++p) planes[p].number(samples[p]);
}

void SampleMap::restore(std::vector<Plane>& samples) const {
    for (size_t p = 0; p < planes.size(); ++p) planes[p].restore(samples[p]);
}

Bytes SampleMap::write() const {
    Writer out;
    for (const ValueMap& map : planes) map.write(out);
    return std::move(out.bytes);
}

SampleMap read_sample_map(ByteView bytes, const PictureFormat& format) {
    SampleMap map;
    if (bytes.size == 0) return map;
    Reader in(bytes, "sample map");
    for (int p = 0; p < format.planes(); ++p) {
        const auto kind = static_cast<Numbering>(in.u8_in(0, 3, "numbering"));
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
            const int bits = in.u8_in(kLeastDepth, format.depth - 1, "bits of a number");
            map.planes.emplace_back(kind, bits, format.depth);
        }
    }
    in.expect_end();
    return map;
}

SampleMapChooser::SampleMapChooser(const PictureFormat& format)
    : format_(format),
      seen_(static_cast<size_t>(format.planes()), std::vector<uint8_t>(size_t{1} << format.depth)),
      lists_(static_cast<size_t>(format.planes()), true) {}

SampleMap SampleMapChooser::choose(const std::vector<Plane>& samples, const SampleMap& last, bool failed) {
    if (failed)
        for (size_t p = 0; p < last.planes.size(); ++p)
            if (last.planes[p].kind() == Numbering::kList && !last.planes[p].covers(samples[p])) lists_[p] = false;
    SampleMap map;
    bool any = false;
    for (int p = 0; p < format_.planes(); ++p) {
        map.planes.push_back(choose_plane(p, samples[p]));
        any = any || map.planes.back().kind() != Numbering::kIdentity;
    }
    return any ? map : SampleMap{};
}

ValueMap SampleMapChooser::choose_plane(int p, const Plane& plane) {
    std::vector<uint8_t>& seen = seen_[p];
    for (const uint16_t v : plane.values) seen[v] = 1;
    std::vector<uint16_t> values;
    for (size_t v = 0; v < seen.size(); ++v)
        if (seen[v] != 0) values.push_back(static_cast<uint16_t>(v));

    const int depth = format_.depth;
    auto holds = [&](Numbering kind, int bits) {
        for (const int v : values) {
            const int n = v >> (depth - bits);
            const int low = kind == Numbering::kReplicate ? n >> (2 * bits - depth) : 0;
            if ((n << (depth - bits) | low) != v) return false;
        }
        return true;
    };
    // The span in which the values lie, counted in the numbers of the simplest form that holds.
    int shift = 0;
    ValueMap form;
    for (int bits = kLeastDepth; bits < depth && shift == 0; ++bits)
        for (const Numbering kind : {Numbering::kShift, Numbering::kReplicate})
            if (shift == 0 && holds(kind, bits)) {
                form = ValueMap(kind, bits, depth);
                shift = depth - bits;
            }
    const int64_t span = ((values.back() - values.front()) >> shift) + 1;
    const int64_t count = static_cast<int64_t>(values.size());
    const bool sparse = count >= 2 && 4 * count <= 3 * span;
    if (lists_[p] && sparse && static_cast<int64_t>(plane.values.size()) >= kSamplesPerValue * count)
        return ValueMap(std::move(values), depth);
    return form;
}

}  // namespace nlvc
