#include "tap_aim.h"

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

}  // namespace

Aim::Aim(const PlaneContext& context, const std::vector<Tap>& taps) : context_(context), sources_(tap_sources(taps)) {
    for (size_t i = 0; i < taps.size(); ++i) {
        const Tap& tap = taps[i];
        const int groups = tap.dx + context.settings.delta * tap.dy;
        if (sources_[i].kind == TapKind::kDifference)
            samples_.push_back({i, context.samples[tap.plane].data() + tap.dy, groups});
        if (sources_[i].kind == TapKind::kError)
            errors_.push_back({i, context.errors[tap.plane].data() + tap.dy, groups});
    }
}

const std::vector<TapSource>& Aim::at(int g) {
    if (g == group_) return sources_;
    group_ = g;
    const ptrdiff_t* group = context_.layout.groups_from(g);
    for (const auto& origin : samples_) sources_[origin.tap].samples = origin.plane + group[origin.groups];
    for (const auto& origin : errors_) sources_[origin.tap].errors = origin.plane + group[origin.groups];
    return sources_;
}

}  // namespace nlvc
