#include "decoder.h"

#include "model_difference.h"
#include "model_kind.h"

namespace nlvc {
namespace {

int64_t checked_sum(int64_t a, int64_t b, const char* what) {
    if ((b > 0 && a > INT64_MAX - b) || (b < 0 && a < INT64_MIN - b))
        throw BitstreamError(std::string("packet: ") + what + " does not fit 63 bits");
    return a + b;
}

int checked_threads(int threads) {
    if (threads < 0 || threads > 256) throw std::invalid_argument("threads must be 0 (all processors) to 256");
    return threads;
}

}  // namespace

Decoder::Decoder(FindModel find_model, int threads, const std::string& kernels, bool analysis,
                 MakeAccelerator accelerate)
    : find_model_(std::move(find_model)),
      kernels_(choose_kernels(kernels)),
      pool_(checked_threads(threads)),
      analysis_(analysis),
      accelerate_(std::move(accelerate)) {}

DecodedFrame Decoder::decode(ByteView bytes) {
    const InUse in_use(busy_);
    const bool was_waiting = waiting_;
    waiting_ = true;  // unless all goes well
    const Packet packet = read_packet(bytes);
    if (!packet.keyframe && was_waiting)
        throw BitstreamError("packet: a P-frame without the frames before it; decoding can start at the next keyframe");
    if (!packet.keyframe && packet.number != next_number_)
        throw BitstreamError("packet: frame " + std::to_string(packet.number) + " after its keyframe follows frame " +
                             std::to_string(next_number_ - 1) + ": frames are missing or in the wrong order");
    if (packet.keyframe) start_sequence(packet);
    check(packet);
    std::vector<std::string> damage;
    CodedFrame frame = decode_samples(packet, damage);
    for (const std::string& what : damage)
        if (!what.empty()) throw BitstreamError(what);
    std::vector<Plane> planes = frame.planes;
    map_.restore(planes);
    if (frame_checksum(format_, planes) != packet.checksum)
        throw BitstreamError("packet: the decoded samples do not have the frame's checksum");
    DecodedFrame out = describe(packet);
    out.planes = std::move(planes);
    out.costs = std::move(costs_);
    history_.push(std::move(frame), packet.keyframe);
    proven_ = true;
    waiting_ = false;
    return out;
}

void Decoder::check(const Packet& packet) const {
    check_packet(packet, coded_);
    const std::string missing = model_->missing(format_, packet.keyframe);
    if (!missing.empty()) throw BitstreamError("packet: " + missing);
    const int64_t pts = packet.keyframe ? packet.pts_difference : checked_sum(next_pts_, packet.pts_difference, "pts");
    checked_sum(pts, packet.duration, "pts + duration");
}

DecodedFrame Decoder::describe(const Packet& packet) {
    change(side_, packet.side);
    for (const int type : {kSampleMapType, kCorrectionsType}) side_.erase(type);
    timed_ = timed_ || packet.keyframe;
    DecodedFrame out;
    out.pts = packet.keyframe ? packet.pts_difference : next_pts_ + packet.pts_difference;
    out.duration = packet.duration;
    out.side = side_;
    out.coded_depth = coded_.depth;
    out.keyframe = packet.keyframe;
    out.number = packet.number;
    out.format = format_;
    out.checksum = packet.checksum;
    out.slices = static_cast<int>(packet.slices.size());
    out.model_hash = hash_;
    out.delta = delta_;
    out.timed = timed_;
    next_pts_ = out.pts + out.duration;
    next_number_ = packet.keyframe ? 1 : packet.number + 1;
    return out;
}

void Decoder::reset() {
    const InUse in_use(busy_);
    waiting_ = true;
    last_.reset();
}

void Decoder::start_sequence(const Packet& keyframe) {
    const Sequence& sequence = *keyframe.sequence;
    history_.clear();
    if (!model_ || hash_ != sequence.model_hash || delta_ != sequence.delta) load_model(sequence);
    format_ = sequence.format;
    map_ = sample_map(keyframe, format_);
    coded_ = coded_format(format_, map_);
    side_ = sequence.side;
}

void Decoder::load_model(const Sequence& sequence) {
    if (!parsed_.has_value() || parsed_->hash != sequence.model_hash) {
        Bytes file = sequence.model.copy();
        if (file.empty()) {
            std::optional<Bytes> found = find_model_ ? find_model_(sequence.model_hash) : std::nullopt;
            if (!found.has_value())
                throw MissingModelError("the stream needs the model with SHA-256 " + hex(sequence.model_hash) +
                                        ", which is not embedded and not known here");
            file = std::move(*found);
        }
        if (is_model_difference(file)) {
            std::optional<Bytes> whole = whole_model(file, find_model_);
            if (!whole.has_value())
                throw MissingModelError("the stream's model is a difference to the one with SHA-256 " +
                                        hex(difference_base(file)) + ", which is not known here");
            file = std::move(*whole);
        }
        if (is_transformer(file))
            throw MissingModelError("the stream's model is the transformer of docs/diffusion.md, SHA-256 " +
                                    hex(sequence.model_hash) + ", which runs in pynlvc with PyTorch");
        if (sha256(file) != sequence.model_hash)
            throw BitstreamError("the model file does not have the SHA-256 " + hex(sequence.model_hash) +
                                 " that the stream names");
        parsed_ = parse_model(file);
        if (accelerate_) model_file_ = std::move(file);
    }
    model_ = std::make_unique<CompiledModel>(*parsed_, sequence.delta, kernels_);
    if (accelerate_) model_->accelerate(accelerate_(model_file_, sequence.delta));
    hash_ = sequence.model_hash;
    delta_ = sequence.delta;
}

std::vector<PlaneCorrection> Decoder::take_corrections(const Packet& packet) {
    const auto planes = static_cast<size_t>(coded_.planes());
    if (packet.keyframe) corrections_.assign(planes, {});
    const auto found = packet.side.find(kCorrectionsType);
    if (found == packet.side.end()) return corrections_;
    const std::vector<int> inputs = input_counts(*model_, coded_, packet.keyframe);
    std::vector<PlaneCorrection> read = read_corrections(inputs, corrections_, found->second);
    if (!packet.keyframe) corrections_ = read;
    return read;
}

void Decoder::guess_motion(RangeDecoder& coder, int slices, int slice, MotionField& motion) const {
    try {
        decode_slice_motion(coded_, slices, slice, coder, motion);
    } catch (const BitstreamError&) {
        const RowRange blocks = coded_.slice_blocks(slice, slices);
        for (int by = blocks.top; by < blocks.bottom; ++by)
            for (int bx = 0; bx < motion.columns; ++bx) motion.at(bx, by) = Vector{};
    }
}

CodedFrame Decoder::decode_samples(const Packet& packet, std::vector<std::string>& damage) {
    const int slices = static_cast<int>(packet.slices.size());
    CodedFrame frame = history_.new_frame(coded_);
    const FrameCorrections corrections(take_corrections(packet), history_, packet.keyframe);
    frame.allocate_classes(corrections.planes);
    damage.clear();
    std::vector<RangeDecoder> coders;
    for (const SliceHeader& slice : packet.slices) {
        coders.emplace_back(slice.payload);
        damage.push_back(slice.damage);
    }
    // Whatever stops a slice, its own bytes or those of frames before, concerns this slice alone.
    auto attempt = [&](int i, auto step) {
        if (!damage[i].empty()) return;
        try {
            step();
        } catch (const BitstreamError& error) {
            damage[i] = "packet, slice " + std::to_string(i) + ": " + error.what();
        }
    };
    const std::vector<PlaneReferences>* references = nullptr;
    if (!packet.keyframe) {
        frame.motion = MotionField(coded_.width, coded_.height, kBlock);
        pool_.run(slices, [&](int i) {
            if (packet.slices[i].mode != SliceMode::kRaw && damage[i].empty())
                attempt(i, [&] { decode_slice_motion(coded_, slices, i, coders[i], frame.motion); });
            else if (packet.slices[i].mode != SliceMode::kRaw)
                guess_motion(coders[i], slices, i, frame.motion);
        });
        references = &history_.references(*kernels_.blocks, coded_, frame.motion, pool_);
    }
    costs_ = {};
    if (analysis_) costs_.blocks = make_block_bits(coded_);
    const FrameCoding coding{coded_,    *model_,     {coded_.depth, packet.q, delta_, packet.keyframe},
                             slices,    frame,       references,
                             contexts_, corrections, analysis_ ? &costs_.blocks : nullptr};
    std::vector<SliceBits> bits(packet.slices.size());
    pool_.run(slices, [&](int i) {
        attempt(i, [&] {
            bits[i] = packet.slices[i].mode != SliceMode::kRaw
                          ? decode_slice(coding, i, packet.slices[i].mode, coders[i])
                          : load_slice(coding, i, packet.slices[i].payload);
        });
        if (!damage[i].empty()) clear_slice(coding, i);
    });
    costs_.planes.assign(static_cast<size_t>(coded_.planes()), 0.0);
    for (const SliceBits& slice : bits) {
        costs_.motion += slice.motion;
        for (size_t p = 0; p < slice.planes.size(); ++p) costs_.planes[p] += slice.planes[p];
    }
    return frame;
}

}  // namespace nlvc
