#include "encoder.h"

#include <stdexcept>

#include "decisions.h"
#include "fitting.h"
#include "motion_search.h"

namespace nlvc {
namespace {

void require(bool condition, const std::string& message) {
    if (!condition) throw std::invalid_argument(message);
}

PictureFormat checked(const PictureFormat& format) {
    require(format.problem().empty(), "format: " + format.problem());
    return format;
}

void check_side(const SideInformation& side) {
    for (const auto& [type, bytes] : side)
        require(type >= 0 && type < kMandatory && !bytes.empty(), "side information needs types 0 to 127 and bytes");
}

/// The planes of a slice in which flags for repeats (docs/bitstream.md section 7.1) are worth a try; none where not
/// even half of luma stands still, a quarter of an I-frame is flat, or some plane was doubled.
std::vector<bool> flagged_planes(const FrameCoding& coding, int slice) {
    const PictureFormat& format = coding.format;
    std::vector<bool> flagged;
    bool any = false;
    for (int p = 0; p < format.planes(); ++p) {
        const Plane* reference = coding.references != nullptr ? &(*coding.references)[p].ref1 : nullptr;
        const bool differences = format.layout == Layout::kRgb && format.guides(p) > 0;
        const Repetition found =
            find_repetition(coding.frame.planes[p], reference, differences ? &coding.frame.planes[0] : nullptr,
                            format.slice_rows(p, slice, coding.slices));
        flagged.push_back(found.same >= 0.25 || found.doubled >= 0.25);
        any = any || found.doubled >= 0.25 || (p == 0 && found.same >= (reference != nullptr ? 0.5 : 0.25));
    }
    return any ? flagged : std::vector<bool>(flagged.size());
}

}  // namespace

Encoder::Encoder(const PictureFormat& format, Bytes model, const EncoderSettings& settings, SideInformation side,
                 const MakeAccelerator& accelerate)
    : format_(checked(format)),
      coded_(format),
      maps_(format),
      stream_side_(std::move(side)),
      settings_(settings),
      model_file_(std::move(model)),
      pool_(std::clamp(settings.threads, 0, 256)) {
    check_side(stream_side_);
    require(settings.first_number >= 0 && settings.first_number <= int64_t{1} << 61, "first_number must be 0 to 2^61");
    number_ = settings.first_number;
    require(settings.delta >= 0 && settings.delta < kDeltas, "delta must be 0, 1 or 2");
    require(settings.keyframe_interval >= 0, "keyframe_interval must be 0 or more frames");
    require(settings.slices >= 0 && settings.slices <= 8, "slices must be 0 (automatic) to 8");
    require(settings.effort >= 0 && settings.effort <= kMaxEffort, "effort must be 0 to 9");
    require(settings.examples >= 0, "examples must be 0 (none) or one of so many samples");
    require(settings.threads >= 0 && settings.threads <= 256, "threads must be 0 (all processors) to 256");
    const Model parsed = parse_model(model_file_);
    hash_ = parsed.hash;
    model_ = std::make_unique<CompiledModel>(parsed, settings.delta, choose_kernels(settings.kernels));
    if (accelerate) model_->accelerate(accelerate(model_file_, settings.delta));
    for (const bool intra : {true, false})
        require(model_->missing(format, intra).empty(), "model: " + model_->missing(format, intra));
    slices_ = std::min(settings.slices == 0 ? automatic_slices(format) : settings.slices, format.slice_units());
    modes_.assign(static_cast<size_t>(slices_), SliceMode::kModel);
    drawn_.assign(static_cast<size_t>(slices_), 0);
    Sequence sequence{format, hash_, settings.delta, {}, stream_side_};
    later_sequence_ = write_sequence(sequence);
    sequence.model = settings.embed_model ? ByteView(model_file_) : ByteView(settings_.difference);
    sequence_ = write_sequence(sequence);
}

EncodedFrame Encoder::encode(std::vector<Plane> planes, int64_t pts, int64_t duration, bool force_keyframe,
                             const std::optional<SideInformation>& side) {
    const InUse in_use(busy_);
    check(planes, pts, duration);
    const SideInformation& frame_side = side ? *side : stream_side_;
    check_side(frame_side);
    const uint32_t checksum = frame_checksum(format_, planes);
    const bool due = keyframe_due(force_keyframe);
    const bool covered = due || map_.covers(planes);
    bool keyframe = due || history_.empty() || !covered;
    EncodedFrame out;
    MotionField motion;
    const std::vector<PlaneReferences>* references = nullptr;
    if (!keyframe) {
        map_.number(planes);
        motion = search(planes[0]);
        references = &history_.references(*model_->kernels().blocks, coded_, motion, pool_);
        out.scene_change = scene_change(planes[0], (*references)[0].ref1_sub, coded_.depth, pool_);
        keyframe = settings_.scene_cuts && out.scene_change > 1;
        if (keyframe) map_.restore(planes), references = nullptr;
    }
    if (keyframe) {
        map_ = maps_.choose(planes, map_, !covered);
        coded_ = coded_format(format_, map_);
        map_.number(planes);
        // a keyframe depends on nothing before it
        std::fill(modes_.begin(), modes_.end(), SliceMode::kModel);
        std::fill(drawn_.begin(), drawn_.end(), uint8_t{0});
        q_ = choose_shift(planes[0], coded_.depth);
    }
    CodedFrame frame = history_.new_frame(coded_);
    frame.planes.swap(planes);
    if (!keyframe) frame.motion = std::move(motion);

    if (settings_.analysis) out.block_bits = make_block_bits(format_);
    Packet packet;
    const std::vector<PlaneCorrection> none(frame.planes.size());
    const std::vector<PlaneCorrection>& before = keyframe ? none : corrections_;
    const FrameCorrections corrections(fit(frame, references), history_, keyframe);
    if (corrections.planes != before)
        packet.side[kCorrectionsType] =
            write_corrections(input_counts(*model_, coded_, keyframe), before, corrections.planes);
    corrections_ = keyframe ? none : corrections.planes;
    const std::vector<EncodedSlice> slices =
        encode_slices(frame, corrections, references, settings_.analysis ? &out.block_bits : nullptr);
    if (settings_.examples > 0)
        out.examples = collect_examples({coded_,
                                         *model_,
                                         {coded_.depth, q_, settings_.delta, keyframe},
                                         slices_,
                                         frame,
                                         references,
                                         contexts_,
                                         corrections},
                                        pool_, settings_.examples, static_cast<uint32_t>(number_));
    out.plane_bits.assign(frame.planes.size(), 0.0);
    for (const EncodedSlice& slice : slices) {
        packet.slices.push_back({slice.mode, slice.payload, slice_checksum(slice.mode, slice.payload)});
        for (size_t p = 0; p < out.plane_bits.size(); ++p) out.plane_bits[p] += slice.bits.planes[p];
        out.motion_bits += slice.bits.motion;
    }
    if (slices_ > 1)
        pool_.run(slices_,
                  [&](int i) { packet.slices[i].sample_check = sample_check(coded_, frame.planes, i, slices_); });
    packet.keyframe = out.keyframe = keyframe;
    packet.number = keyframe ? number_ : since_keyframe_;
    packet.pts_difference = keyframe ? pts : pts - next_pts_;
    packet.duration = duration;
    packet.q = q_;
    packet.checksum = out.checksum = checksum;
    packet.side.merge(difference(keyframe ? stream_side_ : side_, frame_side));
    if (keyframe && !map_.identity()) packet.side[kSampleMapType] = map_.write(format_.depth);
    out.data = write_packet(packet, !keyframe ? ByteView() : first_ ? sequence_ : later_sequence_);

    side_ = frame_side;
    count(keyframe, pts + duration);
    history_.push(std::move(frame), keyframe);
    return out;
}

void Encoder::skip(std::vector<Plane> planes, int64_t pts, int64_t duration, bool force_keyframe, bool was_keyframe) {
    const InUse in_use(busy_);
    require(history_.empty(), "only frames before the first one that is encoded can be skipped");
    if (was_keyframe) {
        check(planes, pts, duration);
        const bool covered = keyframe_due(force_keyframe) || map_.covers(planes);
        map_ = maps_.choose(planes, map_, !covered);
    }
    count(was_keyframe, pts + duration);
}

bool Encoder::keyframe_due(bool forced) const {
    return forced || (settings_.keyframe_interval > 0 && since_keyframe_ >= settings_.keyframe_interval);
}

void Encoder::count(bool keyframe, int64_t next_pts) {
    first_ = false;
    next_pts_ = next_pts;
    since_keyframe_ = keyframe ? 1 : since_keyframe_ + 1;
    ++number_;
}

void Encoder::check(const std::vector<Plane>& planes, int64_t pts, int64_t duration) const {
    constexpr int64_t kMostTicks = int64_t{1} << 61;  // sums and differences of two stay within 63 bits
    require(pts > -kMostTicks && pts < kMostTicks, "pts is beyond 61 bits");
    require(duration >= 0 && duration < kMostTicks, "duration is negative or beyond 61 bits");
    require(static_cast<int>(planes.size()) == format_.planes(),
            "expected " + std::to_string(format_.planes()) + " planes, got " + std::to_string(planes.size()));
    for (int p = 0; p < format_.planes(); ++p) {
        const Plane& plane = planes[p];
        require(plane.width == format_.plane_width(p) && plane.height == format_.plane_height(p),
                "plane " + std::to_string(p) + " is " + std::to_string(plane.width) + "x" +
                    std::to_string(plane.height) + ", expected " + std::to_string(format_.plane_width(p)) + "x" +
                    std::to_string(format_.plane_height(p)));
        uint16_t bits = 0;
        for (const uint16_t sample : plane.values) bits |= sample;
        if (bits <= format_.maximum()) continue;
        const uint16_t largest = *std::max_element(plane.values.begin(), plane.values.end());
        require(false, "plane " + std::to_string(p) + " has a sample of " + std::to_string(largest) + ", more than " +
                           std::to_string(format_.depth) + " bits hold");
    }
}

MotionField Encoder::search(const Plane& current) {
    MotionField field(coded_.width, coded_.height, kBlock);
    const CodedFrame& previous = history_.frame(1);
    pool_.run(slices_, [&](int slice) {
        const RowRange rows = format_.slice_rows(0, slice, slices_);
        search_motion(*model_->kernels().blocks, current, previous.planes[0], previous.motion, coded_.depth, rows.top,
                      rows.bottom, field);
    });
    return field;
}

std::vector<PlaneCorrection> Encoder::fit(CodedFrame& frame, const std::vector<PlaneReferences>* references) {
    const bool keyframe = references == nullptr;
    const auto planes = static_cast<size_t>(coded_.planes());
    // Repeats leave little to fit.
    const bool drawn = std::count(drawn_.begin(), drawn_.end(), 1) == slices_;
    if (!is_fitted(settings_.effort, keyframe ? 0 : since_keyframe_) || (drawn && !keyframe)) {
        if (keyframe) return std::vector<PlaneCorrection>(planes);
        frame.classes = history_.frame(1).classes;
        return corrections_;
    }
    std::vector<std::vector<BlockStatistics>> parts(planes * static_cast<size_t>(slices_));
    const FrameCorrections none(std::vector<PlaneCorrection>(planes), history_, keyframe);
    const FrameCoding coding{
        coded_, *model_, {coded_.depth, q_, settings_.delta, keyframe}, slices_, frame, references, contexts_, none};
    pool_.run(slices_, [&](int slice) {
        for (size_t p = 0; p < planes; ++p)
            parts[p * slices_ + slice] = collect_statistics(coding, slice, static_cast<int>(p));
    });
    if (keyframe || fitters_.empty()) fitters_.assign(planes, PlaneFitter(keyframe));
    std::vector<PlaneCorrection> chosen(planes);
    pool_.run(static_cast<int>(planes), [&](int p) {
        std::vector<BlockStatistics> blocks;
        for (int slice = 0; slice < slices_; ++slice) {
            auto& part = parts[static_cast<size_t>(p) * slices_ + slice];
            std::move(part.begin(), part.end(), std::back_inserter(blocks));
        }
        const FittedPlane fitted = fitters_[p].fit(blocks, keyframe ? PlaneCorrection{} : corrections_[p]);
        chosen[p] = fitted.correction;
        if (fitted.correction.sets.size() < 2) return;
        ClassPlane& classes = frame.classes[p] = ClassPlane(frame.planes[p].width, frame.planes[p].height);
        for (size_t b = 0; b < blocks.size(); ++b) {
            // The last blocks of a slice end with it: those of the next one, written later, replace the excess.
            const int bottom = std::min(blocks[b].y + kSetBlock, classes.height);
            for (int y = blocks[b].y; y < bottom; ++y)
                std::fill_n(classes.row(y) + blocks[b].x, std::min(kSetBlock, classes.width - blocks[b].x),
                            static_cast<int8_t>(fitted.classes[b]));
        }
    });
    if (keyframe) fitters_.clear();
    return chosen;
}

EncodedSlice Encoder::encode_smallest(const FrameCoding& coding, int slice) {
    SliceMode& likely = modes_[slice];
    // What was better stays so for a while.
    const bool settled = coding.references != nullptr && since_keyframe_ % 8 > 1;
    if (settled && likely == SliceMode::kModel) return encode_slice(coding, slice, likely, {});
    const std::vector<bool> flagged = flagged_planes(coding, slice);
    if (std::find(flagged.begin(), flagged.end(), true) == flagged.end()) {
        drawn_[slice] = 0;
        return encode_slice(coding, slice, SliceMode::kModel, flagged);
    }
    if (settled) return encode_slice(coding, slice, likely, flagged);
    // The last one tried leaves its errors in the frame, and it is most often the better one.
    const SliceMode other = likely == SliceMode::kModel ? SliceMode::kRepeats : SliceMode::kModel;
    const size_t bytes = encode_slice(coding, slice, other, flagged).payload.size();
    EncodedSlice found = encode_slice(coding, slice, likely, flagged);
    const size_t model = likely == SliceMode::kModel ? found.payload.size() : bytes;
    const size_t repeats = likely == SliceMode::kModel ? bytes : found.payload.size();
    drawn_[slice] = 2 * repeats < model ? 1 : 0;
    if (found.payload.size() <= bytes) return found;
    return encode_slice(coding, slice, likely = other, flagged);
}

std::vector<EncodedSlice> Encoder::encode_slices(CodedFrame& frame, const FrameCorrections& corrections,
                                                 const std::vector<PlaneReferences>* references,
                                                 BlockBits* block_bits) {
    const bool keyframe = references == nullptr;
    std::vector<EncodedSlice> slices(static_cast<size_t>(slices_));
    while (true) {
        const FrameCoding coding{coded_,    *model_,     {coded_.depth, q_, settings_.delta, keyframe},
                                 slices_,   frame,       references,
                                 contexts_, corrections, block_bits};
        pool_.run(slices_, [&](int i) {
            if (slices[i].mode != SliceMode::kRaw) slices[i] = encode_smallest(coding, i);
        });
        // A slice that the model would make larger is stored. In a P-frame that clears its vectors, which its
        // neighbours' taps can reach: all others are coded again.
        bool again = false;
        for (int i = 0; i < slices_; ++i) {
            const int64_t raw = coded_.slice_samples(i, slices_) * coded_.sample_bytes();
            if (slices[i].mode == SliceMode::kRaw || static_cast<int64_t>(slices[i].payload.size()) <= raw) continue;
            slices[i] = store_slice(coding, i);
            again = !keyframe;
        }
        if (!again) return slices;
        references = &history_.references(*model_->kernels().blocks, coded_, frame.motion, pool_);
    }
}

}  // namespace nlvc
