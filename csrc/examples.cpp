#include "examples.h"

#include <cstring>

#include "wavefront.h"

namespace nlvc {
namespace {

/// Where to look, without any pattern that a picture might have too.
bool chosen(uint32_t seed, int x, int y, int interval) {
    uint32_t h = seed + static_cast<uint32_t>(y) * 0x9e3779b1u + static_cast<uint32_t>(x) * 0x85ebca77u;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (h ^ h >> 15) % static_cast<uint32_t>(interval) == 0;
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

/// One sample's values of a tap list, word by word.
void append_lane(const Words4<int8_t>* words, int lane, int count, std::vector<int8_t>& to) {
    const size_t start = to.size();
    to.resize(start + static_cast<size_t>(count));
    int8_t* out = to.data() + start;
    int i = 0;
    for (; i + 4 <= count; i += 4) std::memcpy(out + i, words[i / 4][lane], 4);
    for (; i < count; ++i) out[i] = words[i / 4][lane][i % 4];
}

class ExampleVisitor final : public BatchVisitor {
  public:
    ExampleVisitor(Examples& examples, int delta, int interval, uint32_t seed)
        : out_(examples), delta_(delta), interval_(interval), seed_(seed) {}

    void visit(const BatchPosition& at, const BatchValues& values, uint16_t* samples) override {
        for (int lane = 0; lane < at.count; ++lane) {
            if (!chosen(seed_, at.x(lane, delta_), at.y + lane, interval_)) continue;
            append_lane(values.taps, lane, out_.inputs, out_.input_taps);
            append_lane(values.errors, lane, out_.errors, out_.error_taps);
            out_.anchors.push_back(values.anchors[0][lane]);
            out_.samples.push_back(samples[lane]);
        }
    }

  private:
    Examples& out_;
    int delta_;
    int interval_;
    uint32_t seed_;
};

}  // namespace

Examples collect_examples(const FrameCoding& coding, int slice, int p, int interval, uint32_t seed) {
    const PictureFormat& format = coding.format;
    const CompiledNetwork& network = *coding.model.network(coding.settings.intra, format.plane_class(p));
    const RowRange rows = format.slice_rows(p, slice, coding.slices);
    const ContextPool::Lease lease(coding.contexts);
    PlaneContext& context = *lease;
    prepare_context(coding, slice, p, network, context);
    context.set(kCur, coding.frame.planes[p], rows.top, rows);
    Examples out;
    out.frame_type = network.frame_type;
    out.plane_class = network.plane_class;
    out.inputs = static_cast<int>(network.inputs.size());
    out.errors = static_cast<int>(network.errors.size());
    const uint32_t place = seed * 0x27d4eb2fu + static_cast<uint32_t>(slice * 4 + p) * 0x165667b1u;
    out.depth = coding.settings.depth;
    out.q = coding.settings.q;
    const size_t expected = static_cast<size_t>(format.plane_width(p)) * static_cast<size_t>(rows.count()) /
                                static_cast<size_t>(interval) * 9 / 8 +
                            64;
    out.input_taps.reserve(expected * static_cast<size_t>(out.inputs));
    out.error_taps.reserve(expected * static_cast<size_t>(out.errors));
    ExampleVisitor visitor(out, coding.settings.delta, interval, place);
    run_plane(context, {coding.model.kernels(), network}, visitor);
    return out;
}

std::vector<Examples> collect_examples(const FrameCoding& coding, ThreadPool& pool, int interval, uint32_t seed) {
    const auto planes = static_cast<size_t>(coding.format.planes());
    std::vector<Examples> parts(planes * static_cast<size_t>(coding.slices));
    pool.run(static_cast<int>(parts.size()), [&](int i) {
        parts[i] = collect_examples(coding, i / static_cast<int>(planes), i % static_cast<int>(planes), interval, seed);
    });
    std::vector<Examples> out(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(planes));
    for (size_t i = planes; i < parts.size(); ++i) {
        Examples& to = out[i % planes];
        append(to.input_taps, parts[i].input_taps);
        append(to.error_taps, parts[i].error_taps);
        append(to.anchors, parts[i].anchors);
        append(to.samples, parts[i].samples);
    }
    return out;
}

}  // namespace nlvc
