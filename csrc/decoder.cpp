#include "decoder.h"

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

Decoder::Decoder(FindModel find_model, int threads, const std::string& kernels)
    : find_model_(std::move(find_model)), kernels_(choose_kernels(kernels)), pool_(checked_threads(threads)) {}

DecodedFrame Decoder::decode(ByteView bytes) {
    const InUse in_use(busy_);
    const bool was_waiting = waiting_;
    waiting_ = true;  // unless all goes well
    const Packet packet = read_packet(bytes);
    if (!packet.keyframe && was_waiting)
        throw BitstreamError("packet: a P-frame without the frames before it; decoding can start at the next keyframe");
    if (packet.keyframe) start_sequence(packet);
    check_packet(packet, coded_);
    const std::string missing = model_->missing(format_, packet.keyframe);
    if (!missing.empty()) throw BitstreamError("packet: " + missing);

    DecodedFrame out;
    out.pts = packet.keyframe ? packet.pts_difference : checked_sum(next_pts_, packet.pts_difference, "pts");
    out.duration = packet.duration;
    const int64_t next_pts = checked_sum(out.pts, out.duration, "pts + duration");
    CodedFrame frame = decode_samples(packet);
    out.planes = frame.planes;
    map_.restore(out.planes);
    if (frame_checksum(format_, out.planes) != packet.checksum)
        throw BitstreamError("packet: the decoded samples do not have the frame's checksum");
    change(side_, packet.side);
    for (const int type : {kSampleMapType, kCorrectionsType}) side_.erase(type);
    out.side = side_;
    out.coded_depth = coded_.depth;
    out.keyframe = packet.keyframe;
    out.format = format_;
    out.checksum = packet.checksum;
    out.slices = static_cast<int>(packet.slices.size());
    out.model_hash = hash_;
    out.delta = delta_;
    history_.push(std::move(frame), packet.keyframe);
    next_pts_ = next_pts;
    waiting_ = false;
    return out;
}

void Decoder::reset() {
    const InUse in_use(busy_);
    waiting_ = true;
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
        if (sha256(file) != sequence.model_hash)
            throw BitstreamError("the model file does not have the SHA-256 " + hex(sequence.model_hash) +
                                 " that the stream names");
        parsed_ = parse_model(file);
    }
    model_ = std::make_unique<CompiledModel>(*parsed_, sequence.delta, kernels_);
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

CodedFrame Decoder::decode_samples(const Packet& packet) {
    const int slices = static_cast<int>(packet.slices.size());
    CodedFrame frame = history_.new_frame(coded_);
    const FrameCorrections corrections(take_corrections(packet), history_, packet.keyframe);
    frame.allocate_classes(corrections.planes);
    std::vector<RangeDecoder> coders;
    for (const SliceHeader& slice : packet.slices) coders.emplace_back(slice.payload);
    const std::vector<PlaneReferences>* references = nullptr;
    if (!packet.keyframe) {
        frame.motion = MotionField(coded_.width, coded_.height, kBlock);
        for (int i = 0; i < slices; ++i)
            if (packet.slices[i].mode == SliceMode::kModel)
                decode_slice_motion(coded_, slices, i, coders[i], frame.motion);
        references = &history_.references(*kernels_.blocks, coded_, frame.motion, pool_);
    }
    const FrameCoding coding{coded_,    *model_,    {coded_.depth, packet.q, delta_, packet.keyframe},
                             slices,    frame,      references,
                             contexts_, corrections};
    pool_.run(slices, [&](int i) {
        if (packet.slices[i].mode == SliceMode::kModel)
            decode_slice(coding, i, coders[i]);
        else
            load_slice(coding, i, packet.slices[i].payload);
    });
    return frame;
}

}  // namespace nlvc
