#include "slice_coding.h"

#include <type_traits>

#include "crc32c.h"
#include "motion_coding.h"
#include "sample_visitors.h"

namespace nlvc {
namespace {

const PackedCorrection* correction_of(const FrameCoding& coding, int p) {
    const PackedCorrection& packed = coding.corrections.packed[p];
    return packed.empty() ? nullptr : &packed;
}

/// Codes the classes of a plane's blocks, where there is a choice, and gives them to the context.
void take_classes(const FrameCoding& coding, BitCoder& bits, int p, RowRange rows, PlaneContext& context) {
    const size_t sets = coding.corrections.planes[p].sets.size();
    if (sets < 2) return;
    static const ClassPlane kNone;
    const ClassPlane& previous = coding.corrections.previous != nullptr ? (*coding.corrections.previous)[p] : kNone;
    ClassPlane& classes = coding.frame.classes[p];
    code_classes(bits, static_cast<int>(sets), rows.top, rows.bottom, previous, classes);
    skew(context.layout, classes, rows.top, rows, context.classes);
}

/// A slice may be coded more than once.
void clear_block_bits(const FrameCoding& coding, int slice) {
    if (coding.block_bits == nullptr) return;
    BlockBits& bits = *coding.block_bits;
    const RowRange rows = coding.format.slice_rows(0, slice, coding.slices);
    const int bottom = std::min((rows.bottom + kBlockBitsSize - 1) / kBlockBitsSize, bits.height);
    std::fill(bits.row(rows.top / kBlockBitsSize), bits.row(bottom), 0.0f);
}

/// The flags of plane p of a slice; prepare_context comes first.
RepeatCoder repeat_coder(const FrameCoding& coding, int slice, int p, const PlaneContext& context,
                         const CopiedBlocks& blocks, bool flags) {
    const PlaneGeometry own = coding.format.geometry(p);
    auto plane = [&](int number) {
        const PlaneGeometry finer = coding.format.geometry(number);
        return RepeatPlane{&coding.frame.planes[number],
                           coding.settings.intra ? nullptr : &(*coding.references)[number].ref1, own.sx - finer.sx,
                           own.sy - finer.sy, coding.format.slice_rows(number, slice, coding.slices)};
    };
    std::vector<RepeatPlane> planes{plane(p)};
    for (int guide = 0; guide < coding.format.guides(p); ++guide) planes.push_back(plane(guide));
    const bool differences = coding.format.layout == Layout::kRgb && planes.size() > 1;
    return RepeatCoder(context, planes, blocks, {own, flags, differences});
}

/// Which planes of a slice have flags: an encoder's are read, a decoder's are filled.
void code_flagged(BitCoder& bits, SliceMode mode, std::vector<bool>& flagged) {
    if (mode != SliceMode::kRepeats) return;
    CountingBit context;
    for (size_t p = 0; p < flagged.size(); ++p) flagged[p] = bits.code(flagged[p], context) == 1;
}

/// Room for the blocks of a slice, all copied so far; none in an I-frame or in other modes.
CopiedBlocks make_copied_blocks(const FrameCoding& coding, int slice, SliceMode mode) {
    if (coding.settings.intra || mode != SliceMode::kRepeats) return {};
    const int rows = coding.format.slice_rows(0, slice, coding.slices).count(), edge = 1 << kCopiedBlockBits;
    return CopiedBlocks((coding.format.width + edge - 1) / edge, (rows + edge - 1) / edge, 1);
}

void find_copied_blocks(const FrameCoding& coding, int slice, CopiedBlocks& blocks) {
    for (int p = 0; p < coding.format.planes(); ++p) {
        const PlaneGeometry geometry = coding.format.geometry(p);
        const RowRange rows = coding.format.slice_rows(p, slice, coding.slices);
        for (int y = rows.top; y < rows.bottom; ++y) {
            const uint16_t* now = coding.frame.planes[p].row(y);
            const uint16_t* before = (*coding.references)[p].ref1.row(y);
            uint8_t* row = blocks.row((y - rows.top) >> (kCopiedBlockBits - geometry.sy));
            for (int x = 0; x < coding.format.plane_width(p); ++x)
                if (now[x] != before[x]) row[x >> (kCopiedBlockBits - geometry.sx)] = 0;
        }
    }
}

/// What follows the motion of a slice, in the direction of `coder`: the samples of `coding.frame` are read or set, its
/// errors set. `bits` works on `coder`; `flagged` is read or filled.
template <class Coder>
SliceBits code_planes(const FrameCoding& coding, int slice, SliceMode mode, CopiedBlocks& blocks,
                      std::vector<bool>& flagged, Coder& coder, BitCoder& bits) {
    constexpr bool kEncodes = std::is_same_v<Coder, RangeEncoder>;
    const PictureFormat& format = coding.format;
    const Kernels& kernels = coding.model.kernels();
    SliceBits out;
    code_copied_blocks(bits, blocks);
    code_flagged(bits, mode, flagged);
    if (!coding.settings.intra) out.motion = coder.bits();
    const ContextPool::Lease lease(coding.contexts);
    PlaneContext& context = *lease;
    double before = coder.bits();
    for (int p = 0; p < format.planes(); ++p) {
        const CompiledNetwork& network = *coding.model.network(coding.settings.intra, format.plane_class(p));
        const RowRange rows = format.slice_rows(p, slice, coding.slices);
        prepare_context(coding, slice, p, network, context);
        if (kEncodes) context.set(kCur, coding.frame.planes[p], rows.top, rows);
        take_classes(coding, bits, p, rows, context);
        const BlockBitsRecorder recorder(coding.block_bits, format, p, rows.top, coding.settings.delta);
        std::optional<RepeatCoder> repeats;
        if (mode == SliceMode::kRepeats) repeats.emplace(repeat_coder(coding, slice, p, context, blocks, flagged[p]));
        std::conditional_t<kEncodes, EncodingVisitor, DecodingVisitor> visitor(coder, kernels, coding.settings,
                                                                               repeats ? &*repeats : nullptr, recorder);
        run_plane(context, {kernels, network, correction_of(coding, p), coding.model.accelerator()}, visitor);
        if (!kEncodes) unskew(context.layout, context.samples[kCur], rows.top, coding.frame.planes[p]);
        unskew(context.layout, context.errors[kErr], rows.top, coding.frame.errors[p]);
        out.planes.push_back(coder.bits() - before);
        before = coder.bits();
    }
    return out;
}

}  // namespace

void prepare_context(const FrameCoding& coding, int slice, int p, const CompiledNetwork& network,
                     PlaneContext& context) {
    const PictureFormat& format = coding.format;
    const RowRange rows = format.slice_rows(p, slice, coding.slices);
    const RowRange plane_rows{0, format.plane_height(p)};
    const auto needed = needed_planes(network, coding.settings.intra);
    context.reset(coding.settings, format.plane_width(p), rows.count());
    if (!coding.settings.intra) {
        const PlaneReferences& r = (*coding.references)[p];
        if (needed[kRef1Sub]) context.set(kRef1Sub, r.ref1_sub, rows.top, plane_rows);
        if (needed[kRef1]) context.set(kRef1, r.ref1, rows.top, plane_rows);
        for (size_t k = 0; k < r.older.size(); ++k) {
            const auto id = static_cast<PlaneId>(kRef2 + k);
            if (needed[id]) context.set(id, *r.older[k], rows.top, plane_rows);
        }
        if (needed[kErrPrev]) context.set(kErrPrev, r.errors, rows.top, plane_rows);
    }
    // Guides, reduced to the grid of plane p; row 0 is then the first of the slice.
    const PlaneGeometry own = format.geometry(p);
    for (int guide = 0; guide < format.guides(p); ++guide) {
        const PlaneGeometry finer = format.geometry(guide);
        const RowRange guide_rows = format.slice_rows(guide, slice, coding.slices);
        const RowRange slice_rows{0, rows.count()};
        const int sx = own.sx - finer.sx, sy = own.sy - finer.sy, step = kGuide2Cur - kGuide1Cur;
        auto set = [&](int first_id, const auto& plane) {
            const auto id = static_cast<PlaneId>(first_id + guide * step);
            if (!needed[id]) return;
            if (sx == 0 && sy == 0)
                context.set(id, plane, guide_rows.top, guide_rows);
            else
                context.set(id, reduce(plane, guide_rows, sx, sy), 0, slice_rows);
        };
        set(kGuide1Cur, coding.frame.planes[guide]);
        set(kGuide1Err, coding.frame.errors[guide]);
        if (!coding.settings.intra) set(kGuide1Ref, (*coding.references)[guide].ref1_sub);
    }
}

FrameCorrections::FrameCorrections(std::vector<PlaneCorrection> corrections, const History& history, bool keyframe)
    : planes(std::move(corrections)), packed(planes.begin(), planes.end()) {
    if (!keyframe) previous = &history.frame(1).classes;
}

std::vector<int> input_counts(const CompiledModel& model, const PictureFormat& format, bool intra) {
    std::vector<int> counts;
    for (int p = 0; p < format.planes(); ++p)
        counts.push_back(model.network(intra, format.plane_class(p))->layer1.inputs);
    return counts;
}

CompiledModel::CompiledModel(const Model& model, int delta, const Kernels& kernels) : kernels_(kernels) {
    for (int type = 0; type < 2; ++type)
        for (int c = 0; c < kPlaneClasses; ++c) {
            if (!model.networks[type][c].has_value()) continue;
            networks_[type][c] = compile(*model.networks[type][c], delta);
            networks_[type][c]->frame_type = type;
            networks_[type][c]->plane_class = c;
            kernels.pack(*networks_[type][c]);
        }
}

const CompiledNetwork* CompiledModel::network(bool intra, int plane_class) const {
    // Where a model has nothing for RGB, what it has for YUV serves.
    for (const int c : {plane_class, guides_of(plane_class)})
        if (const auto& network = networks_[intra ? 0 : 1][c]; network.has_value()) return &*network;
    return nullptr;
}

std::string CompiledModel::missing(const PictureFormat& format, bool intra) const {
    for (int p = 0; p < format.planes(); ++p)
        if (network(intra, format.plane_class(p)) == nullptr)
            return std::string("the model has no network for plane class ") + std::to_string(format.plane_class(p)) +
                   (intra ? " in I-frames" : " in P-frames");
    return "";
}

EncodedSlice encode_slice(const FrameCoding& coding, int slice, SliceMode mode, std::vector<bool> flagged) {
    const PictureFormat& format = coding.format;
    RangeEncoder coder;
    BitEncoder bits(coder);
    EncodedSlice out;
    out.mode = mode;
    clear_block_bits(coding, slice);
    if (!coding.settings.intra) code_motion(bits, format.slice_blocks(slice, coding.slices), coding.frame.motion);
    CopiedBlocks blocks = make_copied_blocks(coding, slice, mode);
    if (!blocks.empty()) find_copied_blocks(coding, slice, blocks);
    out.bits = code_planes(coding, slice, mode, blocks, flagged, coder, bits);
    out.payload = coder.finish();
    out.payload.resize(std::max(out.payload.size(), least_payload(format.slice_samples(slice, coding.slices))), 0);
    return out;
}

EncodedSlice store_slice(const FrameCoding& coding, int slice) {
    const PictureFormat& format = coding.format;
    EncodedSlice out;
    out.mode = SliceMode::kRaw;
    clear_block_bits(coding, slice);
    for (int p = 0; p < format.planes(); ++p) {
        const RowRange rows = format.slice_rows(p, slice, coding.slices);
        const size_t before = out.payload.size();
        append_samples(coding.frame.planes[p], rows, format.sample_bytes(), out.payload);
        out.bits.planes.push_back(8.0 * static_cast<double>(out.payload.size() - before));
        BlockBitsRecorder(coding.block_bits, format, p, rows.top, coding.settings.delta)
            .add_raw(rows, format.plane_width(p), 8 * format.sample_bytes());
    }
    clear_slice(coding, slice);
    return out;
}

void clear_slice(const FrameCoding& coding, int slice) {
    const PictureFormat& format = coding.format;
    for (int p = 0; p < format.planes(); ++p) {
        const RowRange rows = format.slice_rows(p, slice, coding.slices);
        ErrorPlane& errors = coding.frame.errors[p];
        std::fill_n(errors.row(rows.top), static_cast<size_t>(rows.count()) * errors.width, int8_t{0});
        ClassPlane& classes = coding.frame.classes[p];
        if (!classes.empty())
            std::fill_n(classes.row(rows.top), static_cast<size_t>(rows.count()) * classes.width, int8_t{0});
    }
    if (coding.settings.intra) return;
    const RowRange blocks = format.slice_blocks(slice, coding.slices);
    for (int by = blocks.top; by < blocks.bottom; ++by)
        for (int bx = 0; bx < coding.frame.motion.columns; ++bx) coding.frame.motion.at(bx, by) = Vector{};
}

uint16_t sample_check(const PictureFormat& format, const std::vector<Plane>& planes, int slice, int slices) {
    uint32_t crc = 0;
    std::vector<uint8_t> row;
    for (int p = 0; p < format.planes(); ++p) {
        const RowRange rows = format.slice_rows(p, slice, slices);
        for (int y = rows.top; y < rows.bottom; ++y) {
            row.clear();
            append_samples(planes[p], {y, y + 1}, format.sample_bytes(), row);
            crc = crc32c(row.data(), row.size(), crc);
        }
    }
    return static_cast<uint16_t>(crc);
}

void decode_slice_motion(const PictureFormat& format, int slices, int slice, RangeDecoder& coder, MotionField& motion) {
    BitDecoder bits(coder);
    code_motion(bits, format.slice_blocks(slice, slices), motion);
}

SliceBits decode_slice(const FrameCoding& coding, int slice, SliceMode mode, RangeDecoder coder) {
    BitDecoder bits(coder);
    CopiedBlocks blocks = make_copied_blocks(coding, slice, mode);
    std::vector<bool> flagged(static_cast<size_t>(coding.format.planes()));
    return code_planes(coding, slice, mode, blocks, flagged, coder, bits);
}

SliceBits load_slice(const FrameCoding& coding, int slice, ByteView payload) {
    const PictureFormat& format = coding.format;
    const int sample_bits = 8 * format.sample_bytes();
    SliceBits bits;
    clear_slice(coding, slice);
    Reader in(payload, "raw slice");
    for (int p = 0; p < format.planes(); ++p) {
        const RowRange rows = format.slice_rows(p, slice, coding.slices);
        for (int y = rows.top; y < rows.bottom; ++y) {
            uint16_t* row = coding.frame.planes[p].row(y);
            for (int x = 0; x < format.plane_width(p); ++x) {
                row[x] = format.sample_bytes() == 1 ? in.u8("sample") : in.u16("sample");
                if (row[x] > format.maximum()) in.fail("sample", "is above the largest of its depth");
            }
        }
        BlockBitsRecorder(coding.block_bits, format, p, rows.top, coding.settings.delta)
            .add_raw(rows, format.plane_width(p), sample_bits);
        bits.planes.push_back(static_cast<double>(sample_bits) * format.plane_width(p) * rows.count());
    }
    return bits;
}

}  // namespace nlvc
