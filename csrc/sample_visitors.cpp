#include "sample_visitors.h"

namespace nlvc {

const uint8_t* EncodingVisitor::start_group(int g, int first, int last, uint16_t* samples) {
    if (repeats_ == nullptr) return nullptr;
    repeats_->start_group(g);
    BitEncoder bits(coder_);
    for (int y = first; y <= last; ++y) {
        const double before = recorder_.active() ? coder_.bits() : 0;
        repeats_->code(y, bits, samples[y]);
        if (recorder_.active()) recorder_.add(g - settings_.delta * y, y, coder_.bits() - before);
    }
    return repeats_->known();
}

void EncodingVisitor::visit(const BatchPosition& at, const BatchValues& values, uint16_t* samples) {
    kernels_.mixture(values.outputs, values.mean, settings_.q, mixture_);
    if (repeats_ == nullptr) {
        uint32_t low[kLanes], high[kLanes];
        kernels_.bounds(mixture_, samples, settings_.depth, settings_.q, low, high);
        for (int lane = 0; lane < at.count; ++lane) coder_.encode(low[lane], high[lane]);
        recorder_.add(at, low, high);
        return;
    }
    for (int lane = 0; lane < at.count; ++lane) {
        const int y = at.y + lane;
        if (repeats_->known()[y] != 0) continue;
        const double before = recorder_.active() ? coder_.bits() : 0;
        const Distribution distribution(mixture_, lane, settings_.depth, settings_.q);
        encode_without(coder_, distribution, repeats_->excluded(y), samples[lane]);
        if (recorder_.active()) recorder_.add(at.x(lane, settings_.delta), y, coder_.bits() - before);
    }
}

void EncodingVisitor::finish_group() {
    if (repeats_ != nullptr) repeats_->finish_group();
}

const uint8_t* DecodingVisitor::start_group(int g, int first, int last, uint16_t* samples) {
    if (repeats_ == nullptr) return nullptr;
    repeats_->start_group(g);
    BitDecoder bits(coder_);
    for (int y = first; y <= last; ++y) {
        const double before = recorder_.active() ? coder_.bits() : 0;
        repeats_->code(y, bits, samples[y]);
        if (recorder_.active()) recorder_.add(g - settings_.delta * y, y, coder_.bits() - before);
    }
    return repeats_->known();
}

DecodingVisitor::DecodingVisitor(RangeDecoder& coder, const Kernels& kernels, const CodingSettings& settings,
                                 RepeatCoder* repeats, const BlockBitsRecorder& recorder)
    : coder_(coder), kernels_(kernels), settings_(settings), repeats_(repeats), recorder_(recorder) {
    for (PendingSamples& samples : samples_) {
        samples.depth = settings.depth;
        samples.q = settings.q;
        samples.coder = &coder.state();
    }
}

PendingSamples* DecodingVisitor::pending() { return repeats_ == nullptr ? &samples_[current_] : nullptr; }

void DecodingVisitor::visit(const BatchPosition& at, const BatchValues& values, uint16_t* samples) {
    if (repeats_ == nullptr) {
        PendingSamples& before = samples_[current_];
        PendingSamples& own = samples_[current_ = 1 - current_];
        own.count = at.count;
        own.samples = samples;
        kernels_.of(at.count).open(values.outputs, values.mean, own, &before);
        if (!recorder_.active()) return;
        kernels_.finish(own);
        uint32_t low[kLanes], high[kLanes];
        kernels_.bounds(own.mixture, samples, settings_.depth, settings_.q, low, high);
        recorder_.add(at, low, high);
        return;
    }
    MixtureBatch& mixture = samples_[current_].mixture;
    kernels_.mixture(values.outputs, values.mean, settings_.q, mixture);
    for (int lane = 0; lane < at.count; ++lane) {
        const int y = at.y + lane;
        if (repeats_->known()[y] != 0) continue;
        const double before = recorder_.active() ? coder_.bits() : 0;
        const Distribution distribution(mixture, lane, settings_.depth, settings_.q);
        samples[lane] = static_cast<uint16_t>(decode_without(coder_, distribution, repeats_->excluded(y)));
        if (recorder_.active()) recorder_.add(at.x(lane, settings_.delta), y, coder_.bits() - before);
    }
}

void DecodingVisitor::finish_group() {
    if (repeats_ != nullptr) repeats_->finish_group();
}

}  // namespace nlvc
