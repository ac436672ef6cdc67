#include "tap_aim.h"

namespace nlvc {
namespace {

TapKind kind_of(const Tap& tap, bool narrow) {
    if (narrow) return TapKind::kByte;
    if (tap.plane == kLevel) return TapKind::kLevel;
    return anchor_of(tap.plane) < 0 ? TapKind::kError : TapKind::kDifference;
}

FourKind kind_of_four(const TapSource* four) {
    auto all = [&](auto holds) { return std::all_of(four, four + 4, holds); };
    if (!all([&](const TapSource& s) {
            return s.kind == four->kind && s.absolute == four->absolute && s.anchor == four->anchor;
        }))
        return FourKind::kMixed;
    const bool errors = four->kind == TapKind::kError || (four->kind == TapKind::kByte && four->anchor == kNoAnchor);
    if (errors) return four->absolute ? FourKind::kAbsoluteErrors : FourKind::kErrors;
    if (four->absolute || four->kind == TapKind::kLevel) return FourKind::kMixed;
    const bool masked = !all([](const TapSource& s) { return !s.masked; });
    return masked ? FourKind::kMaskedDifferences : FourKind::kDifferences;
}

std::vector<TapSource> tap_sources(const std::vector<Tap>& taps, bool narrow) {
    std::vector<TapSource> sources;
    for (const Tap& tap : taps) {
        const int anchor = anchor_of(tap.plane);
        sources.push_back({kind_of(tap, narrow), tap.absolute, tap.plane == kCur, tap.dx, tap.dy,
                           static_cast<uint8_t>(anchor < 0 ? kNoAnchor : anchor), FourKind::kMixed, nullptr, nullptr});
    }
    while (sources.size() % 4 != 0) sources.push_back(sources.back());  // what fills up a word means nothing
    for (size_t i = 0; i < sources.size(); i += 4) sources[i].four = kind_of_four(&sources[i]);
    return sources;
}

}  // namespace

Aim::Aim(const PlaneContext& context, const std::vector<Tap>& taps)
    : context_(context), sources_(tap_sources(taps, context.narrow)) {
    for (size_t i = 0; i < taps.size(); ++i) {
        const Tap& tap = taps[i];
        const int groups = tap.dx + context.settings.delta * tap.dy;
        if (sources_[i].kind == TapKind::kDifference)
            samples_.push_back({i, context.samples[tap.plane].data() + tap.dy, groups});
        else if (tap.plane == kLevel && context.narrow)
            bytes_.push_back({i, context.bytes[kRef1Sub].data(), 0});  // A less 128
        else if (anchor_of(tap.plane) >= 0)
            bytes_.push_back({i, context.bytes[tap.plane].data() + tap.dy, groups});
        else if (tap.plane != kLevel)
            bytes_.push_back({i, context.errors[tap.plane].data() + tap.dy, groups});
    }
    for (size_t i = taps.size(); i < sources_.size(); ++i) {
        const bool wide = sources_[i].kind == TapKind::kDifference;
        if (wide) samples_.push_back(samples_.back()), samples_.back().tap = i;
        if (!wide && sources_[i].kind != TapKind::kLevel) bytes_.push_back(bytes_.back()), bytes_.back().tap = i;
    }
}

const std::vector<TapSource>& Aim::at(int g) {
    if (g == group_) return sources_;
    group_ = g;
    const ptrdiff_t* group = context_.layout.groups_from(g);
    for (const auto& origin : samples_) sources_[origin.tap].samples = origin.plane + group[origin.groups];
    for (const auto& origin : bytes_) sources_[origin.tap].bytes = origin.plane + group[origin.groups];
    return sources_;
}

}  // namespace nlvc
