#include "wavefront.h"

#include "accelerated.h"
#include "tap_aim.h"

namespace nlvc {
namespace {

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
    if (evaluator.accelerator != nullptr) return run_plane_accelerated(context, evaluator, visitor);
    const CompiledNetwork& network = evaluator.network;
    const PackedCorrection* correction = evaluator.correction;
    const CodingSettings& settings = context.settings;
    const SkewLayout& layout = context.layout;
    Aim first(context, network.inputs), second(context, network.errors);
    BatchValues batch{};
    Unfinished before;
    auto finish = [&] {
        if (before.pending != nullptr) evaluator.kernels.finish(*before.pending);
        before.pending = nullptr;
        context.reveal(layout.group(before.at.group) + before.at.y, before.at.count);
        int8_t made[kLanes];  // lanes past the count are computed as well
        evaluator.kernels.errors(before.samples, before.mean, settings.q, made);
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
            const BatchPosition at = batch_at(layout, g, y);
            if (known != nullptr && std::count(known + y, known + y + at.count, 1) == at.count) {
                context.reveal(layout.group(g) + y, at.count);
                continue;
            }
            if (before.seen_from(at)) finish();
            const Kernels& kernels = evaluator.kernels.of(at.count);
            find_anchors(context, at, batch.anchors);
            kernels.gather(context, inputs, at, batch.anchors, batch.taps);
            kernels.stage1(network, batch, before.pending);
            if (correction != nullptr) kernels.correct(*correction, classes ? classes + y : nullptr, batch);
            kernels.means(batch.anchors[0], batch.linear, settings.depth, settings.q, batch.mean);
            kernels.gather(context, errors, at, batch.anchors, batch.errors);
            kernels.stage2(network, batch, before.pending);
            visitor.visit(at, batch, samples + y);
            if (before.pending != nullptr) finish();
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
