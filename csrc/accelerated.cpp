#include "accelerated.h"

#include <cstring>

#include "accelerator.h"
#include "tap_aim.h"

namespace nlvc {
namespace {

constexpr int words(int count) { return (count + 3) / 4; }

/// Some groups of a plane whose samples do not see each other's undecoded ones.
class Run {
  public:
    Run(PlaneContext& context, const Evaluator& evaluator)
        : context_(context),
          evaluator_(evaluator),
          first_(context, evaluator.network.inputs),
          second_(context, evaluator.network.errors),
          tap_words_(words(evaluator.network.layer1.inputs)),
          hidden_words_(words(evaluator.network.layer2.outputs)),
          error_words_(words(static_cast<int>(evaluator.network.errors.size()))) {}

    void clear() { positions_.clear(); }
    void add_group(int g) {
        const SkewLayout& layout = context_.layout;
        for (int y = layout.first_row(g); y <= layout.last_row(g); y += kLanes)
            positions_.push_back(batch_at(layout, g, y));
    }
    /// Taps, stage 1 and means.
    void predict() {
        const Kernels& kernels = evaluator_.kernels;
        const CompiledNetwork& network = evaluator_.network;
        const size_t n = positions_.size();
        taps_.resize(n * tap_words_);
        hidden_.resize(n * hidden_words_);
        errors_.resize(std::max<size_t>(1, n * error_words_));  // there may be none
        linear_.resize(n * kLanes);
        means_.resize(n * kLanes);
        outputs_.resize(n * kOutputs * kLanes);
        for (size_t i = 0; i < n; ++i) {
            find_anchors(context_, positions_[i], batch_.anchors);
            kernels.gather(context_, first_.at(positions_[i].group), positions_[i], batch_.anchors, batch_.taps);
            std::memcpy(taps_.data() + i * tap_words_, batch_.taps, tap_words_ * sizeof(*batch_.taps));
        }
        evaluator_.accelerator->stage1(network, static_cast<int>(n), bytes(taps_), linear_.data(), bytes(hidden_));
        for (size_t i = 0; i < n; ++i) {
            const BatchPosition& at = positions_[i];
            find_anchors(context_, at, batch_.anchors);
            load(i);
            if (evaluator_.correction != nullptr) kernels.correct(*evaluator_.correction, classes(at), batch_);
            const CodingSettings& settings = context_.settings;
            kernels.means(batch_.anchors[0], batch_.linear, settings.depth, settings.q, means_.data() + i * kLanes);
        }
    }
    /// Second taps and stage 2.
    void distribute() {
        const size_t n = positions_.size();
        for (size_t i = 0; i < n; ++i) {
            find_anchors(context_, positions_[i], batch_.anchors);
            evaluator_.kernels.gather(context_, second_.at(positions_[i].group), positions_[i], batch_.anchors,
                                      batch_.errors);
            std::memcpy(errors_.data() + i * error_words_, batch_.errors, error_words_ * sizeof(*batch_.errors));
        }
        evaluator_.accelerator->stage2(evaluator_.network, static_cast<int>(n), bytes(hidden_), bytes(errors_),
                                       outputs_.data());
    }
    /// Gives batch i to the visitor, unless all its samples are known.
    void visit(size_t i, BatchVisitor& visitor, const uint8_t* known) {
        const BatchPosition& at = positions_[i];
        if (known != nullptr && std::count(known + at.y, known + at.y + at.count, 1) == at.count) return;
        load(i);
        std::copy_n(means_.data() + i * kLanes, kLanes, batch_.mean);
        std::copy_n(outputs_.data() + i * kOutputs * kLanes, kOutputs * kLanes, batch_.outputs[0]);
        visitor.visit(at, batch_, samples(at));
        if (PendingSamples* pending = visitor.pending(); pending != nullptr) evaluator_.kernels.finish(*pending);
    }
    void set_errors(size_t i, const uint8_t* known) {
        const BatchPosition& at = positions_[i];
        int8_t made[kLanes];
        evaluator_.kernels.errors(samples(at), means_.data() + i * kLanes, context_.settings.q, made);
        for (int lane = 0; known != nullptr && lane < at.count; ++lane)
            if (known[at.y + lane] != 0) made[lane] = 0;
        const ptrdiff_t first = context_.layout.group(at.group) + at.y;
        std::copy_n(made, at.count, context_.errors[kErr].data() + first);
        context_.reveal(first, at.count);
    }
    size_t size() const { return positions_.size(); }
    int group(size_t i) const { return positions_[i].group; }
    uint16_t* group_samples(int g) { return context_.samples[kCur].data() + context_.layout.group(g); }

  private:
    template <class T>
    using Word = std::array<std::array<T, 4>, kLanes>;

    static const int8_t* bytes(const std::vector<Word<int8_t>>& values) { return values.data()->data()->data(); }
    static uint8_t* bytes(std::vector<Word<uint8_t>>& values) { return values.data()->data()->data(); }
    uint16_t* samples(const BatchPosition& at) { return group_samples(at.group) + at.y; }
    const int8_t* classes(const BatchPosition& at) const {
        return context_.classes.empty() ? nullptr : context_.classes.data() + context_.layout.group(at.group) + at.y;
    }
    /// What a kernel or a visitor may read of batch i, but its distributions.
    void load(size_t i) {
        std::memcpy(batch_.taps, taps_.data() + i * tap_words_, tap_words_ * sizeof(*batch_.taps));
        std::memcpy(batch_.hidden, hidden_.data() + i * hidden_words_, hidden_words_ * sizeof(*batch_.hidden));
        std::memcpy(batch_.linear, linear_.data() + i * kLanes, sizeof(batch_.linear));
    }

    PlaneContext& context_;
    const Evaluator& evaluator_;
    Aim first_, second_;
    size_t tap_words_, hidden_words_, error_words_;
    BatchValues batch_{};
    std::vector<BatchPosition> positions_;
    std::vector<Word<int8_t>> taps_, errors_;
    std::vector<Word<uint8_t>> hidden_;
    std::vector<int32_t> linear_, means_, outputs_;
};

/// All groups at once: every sample is known.
void run_whole(PlaneContext& context, const Evaluator& evaluator, BatchVisitor& visitor) {
    Run run(context, evaluator);
    for (int g = 0; g < context.layout.groups(); ++g) run.add_group(g);
    run.predict();
    for (size_t i = 0; i < run.size(); ++i) run.set_errors(i, nullptr);
    run.distribute();
    size_t i = 0;
    for (int g = 0; g < context.layout.groups(); ++g) {
        visitor.start_group(g, context.layout.first_row(g), context.layout.last_row(g), run.group_samples(g));
        for (; i < run.size() && run.group(i) == g; ++i) run.visit(i, visitor, nullptr);
        visitor.finish_group();
    }
}

}  // namespace

void run_plane_accelerated(PlaneContext& context, const Evaluator& evaluator, BatchVisitor& visitor) {
    if (visitor.sees_all()) return run_whole(context, evaluator, visitor);
    Run run(context, evaluator);
    const SkewLayout& layout = context.layout;
    for (int g = 0; g < layout.groups(); ++g) {
        const uint8_t* known = visitor.start_group(g, layout.first_row(g), layout.last_row(g), run.group_samples(g));
        run.clear();
        run.add_group(g);
        run.predict();
        run.distribute();
        for (size_t i = 0; i < run.size(); ++i) {
            run.visit(i, visitor, known);
            run.set_errors(i, known);
        }
        visitor.finish_group();
    }
}

}  // namespace nlvc
