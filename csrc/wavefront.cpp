#include "wavefront.h"

namespace nlvc {
namespace {

std::vector<TapSource> tap_sources(const std::vector<Tap>& taps) {
    std::vector<TapSource> sources;
    for (const Tap& tap : taps) {
        const int anchor = anchor_of(tap.plane);
        const TapKind kind = tap.plane == kLevel ? TapKind::kLevel
                             : anchor < 0        ? TapKind::kError
                                                 : TapKind::kDifference;
        sources.push_back({kind, tap.absolute, tap.plane == kCur, tap.dx, tap.dy,
                           static_cast<uint8_t>(std::max(anchor, 0)), FourKind::kMixed, nullptr, nullptr});
    }
    for (size_t i = 0; i + 4 <= sources.size(); i += 4) {
        auto all = [&](auto holds) { return std::all_of(&sources[i], &sources[i] + 4, holds); };
        auto is = [&](TapKind kind, bool absolute) {
            return all([&](const TapSource& s) { return s.kind == kind && s.absolute == absolute; });
        };
        if (is(TapKind::kDifference, false))
            sources[i].four = all([](const TapSource& s) { return !s.masked; }) ? FourKind::kDifferences
                                                                                : FourKind::kMaskedDifferences;
        if (is(TapKind::kError, false)) sources[i].four = FourKind::kErrors;
        if (is(TapKind::kError, true)) sources[i].four = FourKind::kAbsoluteErrors;
    }
    return sources;
}

/// Points the sources of one tap list to what they read for one group after the other.
class Aim {
  public:
    Aim(const PlaneContext& context, const std::vector<Tap>& taps) : context_(context), sources_(tap_sources(taps)) {
        for (size_t i = 0; i < taps.size(); ++i) {
            const Tap& tap = taps[i];
            const int groups = tap.dx + context.settings.delta * tap.dy;
            if (sources_[i].kind == TapKind::kDifference)
                samples_.push_back({i, context.samples[tap.plane].data() + tap.dy, groups});
            if (sources_[i].kind == TapKind::kError)
                errors_.push_back({i, context.errors[tap.plane].data() + tap.dy, groups});
        }
    }
    const std::vector<TapSource>& at(int g) {
        const ptrdiff_t* group = context_.layout.groups_from(g);
        for (const auto& origin : samples_) sources_[origin.tap].samples = origin.plane + group[origin.groups];
        for (const auto& origin : errors_) sources_[origin.tap].errors = origin.plane + group[origin.groups];
        return sources_;
    }

  private:
    template <class T>
    struct Origin {
        size_t tap;
        const T* plane;  ///< at the tap's row
        int groups;      ///< from the sample's group to the tap's
    };
    const PlaneContext& context_;
    std::vector<TapSource> sources_;
    std::vector<Origin<uint16_t>> samples_;
    std::vector<Origin<int8_t>> errors_;
};

/// The batch before, some of whose samples may still have to be decoded.
struct Unfinished {
    PendingSamples* pending = nullptr;  ///< nullptr: all is done
    BatchPosition at{};
    const uint16_t* samples = nullptr;
    int8_t* errors = nullptr;
    const uint8_t* known = nullptr;  ///< 1 for samples that no distribution was needed for; nullptr: none
    int32_t mean[kLanes];

    /// Whether the batch at `position` may see samples of this one.
    bool seen_from(const BatchPosition& position) const {
        return pending != nullptr && position.group != at.group && at.y < position.y + kLanes + kReach;
    }
};

}  // namespace

void run_plane(PlaneContext& context, const Evaluator& evaluator, BatchVisitor& visitor) {
    const Kernels& kernels = evaluator.kernels;
    const CompiledNetwork& network = evaluator.network;
    const PackedCorrection* correction = evaluator.correction;
    const CodingSettings& settings = context.settings;
    const SkewLayout& layout = context.layout;
    Aim first(context, network.inputs), second(context, network.errors);
    BatchValues batch{};
    Unfinished before;
    auto finish = [&] {
        if (before.pending != nullptr) kernels.finish(*before.pending);
        before.pending = nullptr;
        int8_t made[kLanes];  // lanes past the count are computed as well
        kernels.errors(before.samples, before.mean, settings.q, made);
        for (int lane = 0; before.known != nullptr && lane < before.at.count; ++lane)
            if (before.known[lane] != 0) made[lane] = 0;
        if (before.at.count == kLanes)
            std::copy_n(made, kLanes, before.errors);
        else
            std::copy_n(made, before.at.count, before.errors);
    };
    for (int g = 0; g < layout.groups(); ++g) {
        const std::vector<TapSource>& inputs = first.at(g);
        const std::vector<TapSource>& errors = second.at(g);
        uint16_t* samples = context.samples[kCur].data() + layout.group(g);
        const int8_t* classes = context.classes.empty() ? nullptr : context.classes.data() + layout.group(g);
        int8_t* own_errors = context.errors[kErr].data() + layout.group(g);
        const int last = layout.last_row(g);
        const uint8_t* known = visitor.start_group(g, layout.first_row(g), last, samples);
        for (int y = layout.first_row(g); y <= last; y += kLanes) {
            BatchPosition at{g, y, std::min(kLanes, last - y + 1), false};
            if (known != nullptr && std::count(known + y, known + y + at.count, 1) == at.count) continue;
            const int left = at.x(at.count - 1, settings.delta), right = at.x(0, settings.delta);
            at.interior = left >= kReach && right < layout.width() - kReach && y >= kReach &&
                          y + at.count <= layout.height() - kReach;
            if (before.seen_from(at)) finish();
            find_anchors(context, at, batch.anchors);
            kernels.gather(context, inputs, at, batch.anchors, batch.taps);
            kernels.stage1(network, batch, before.pending);
            if (correction != nullptr) kernels.correct(*correction, classes ? classes + y : nullptr, batch);
            kernels.means(batch.anchors[0], batch.linear, settings.depth, settings.q, batch.mean);
            kernels.gather(context, errors, at, batch.anchors, batch.errors);
            kernels.stage2(network, batch, before.pending);
            if (before.pending != nullptr) finish();
            visitor.visit(at, batch, samples + y);
            before.pending = visitor.pending();
            before.at = at;
            before.samples = samples + y;
            before.errors = own_errors + y;
            before.known = known != nullptr ? known + y : nullptr;
            std::copy_n(batch.mean, kLanes, before.mean);
            if (before.pending == nullptr) finish();
        }
        visitor.finish_group();
    }
    if (before.pending != nullptr) finish();
}

}  // namespace nlvc
