// Going on despite damage (docs/bitstream.md section 9.2): the part of Decoder that shows something for every packet.
#include "decoder.h"

namespace nlvc {
namespace {

/// Copies rows of `from` to the same place of `to`.
void copy_rows(const Plane& from, RowRange rows, Plane& to) {
    std::copy(from.row(rows.top), from.row(rows.top) + static_cast<size_t>(rows.count()) * from.width,
              to.row(rows.top));
}

bool same_planes(const PictureFormat& a, const PictureFormat& b) {
    return a.width == b.width && a.height == b.height && a.layout == b.layout && a.alpha == b.alpha &&
           a.depth == b.depth && a.sx == b.sx && a.sy == b.sy;
}

}  // namespace

DecodedFrame Decoder::conceal(ByteView bytes) {
    const InUse in_use(busy_);
    Damage damage;
    try {
        const Packet packet = read_packet(bytes, DamagedSlices::kMark);
        if (packet.keyframe) {
            waiting_ = true;  // unless all goes well
            start_sequence(packet);
            require_size(packet);
        } else if (waiting_ || packet.number < next_number_) {
            waiting_ = true;
            timed_ = false;
            return repeat({DamageKind::kMissing, -1, 0, "packet: the keyframe that this frame needs is missing"});
        }
        check(packet);
        DecodedFrame out = conceal_slices(packet);
        waiting_ = false;
        last_ = out;
        return out;
    } catch (const BitstreamError& error) {
        damage.what = error.what();
    }
    proven_ = timed_ = false;
    ++next_number_;  // as if it had been a P-frame
    return repeat(damage);
}

void Decoder::require_size(const Packet& keyframe) const {
    bool whole = true;
    size_t size = 0;
    for (const SliceHeader& slice : keyframe.slices) {
        whole = whole && slice.damage.empty();
        size += slice.payload.size;
    }
    const bool known = last_.has_value() && same_planes(last_->format, format_);
    if (!whole && !known && size < least_payload(coded_.slice_samples(0, 1)))
        throw BitstreamError("packet: too little is left of this keyframe");
}

DecodedFrame Decoder::conceal_slices(const Packet& packet) {
    const int count = static_cast<int>(packet.slices.size());
    const int64_t missing = packet.keyframe ? 0 : packet.number - next_number_;
    if (packet.keyframe) proven_ = true;
    if (missing > 0) proven_ = timed_ = false;
    std::vector<std::string> problems;
    CodedFrame frame = decode_samples(packet, problems);
    bool intact = true;
    for (const std::string& problem : problems) intact = intact && problem.empty();
    std::vector<Plane> planes;
    if (intact) {
        planes = frame.planes;
        try {
            map_.restore(planes);
            intact = frame_checksum(format_, planes) == packet.checksum;
        } catch (const BitstreamError&) {
            intact = false;
        }
    }
    DecodedFrame out = describe(packet);
    out.exact = intact;
    if (missing > 0)
        out.damage.push_back({DamageKind::kMissing, -1, 0,
                              "packet: " + std::to_string(missing) + " frames before this one are missing"});
    if (!intact) {
        bool hidden = false;
        for (int i = 0; i < count; ++i) {
            const SliceHeader& slice = packet.slices[i];
            const bool right =
                count > 1 && problems[i].empty() && sample_check(coded_, frame.planes, i, count) == slice.sample_check;
            if (right) continue;
            const bool own = !slice.damage.empty() || (proven_ && !problems[i].empty());
            std::string what = problems[i].empty() || !own
                                   ? "packet, slice " + std::to_string(i) + ": it rests on samples that are damaged"
                                   : problems[i];
            out.damage.push_back(
                {own ? DamageKind::kDamaged : DamageKind::kDependent, i, slice.offset, std::move(what)});
            hide_slice(packet, i, frame);
            hidden = true;
        }
        if (!hidden)
            out.damage.push_back(
                {DamageKind::kDamaged, -1, 0, "packet: the decoded samples do not have the frame's checksum"});
        proven_ = false;
        planes = frame.planes;
        map_.restore(planes);
    }
    out.planes = std::move(planes);
    history_.push(std::move(frame), packet.keyframe);
    return out;
}

void Decoder::hide_slice(const Packet& packet, int slice, CodedFrame& frame) const {
    const int count = static_cast<int>(packet.slices.size());
    const bool shown = last_.has_value() && same_planes(last_->format, format_) && map_.identity();
    for (int p = 0; p < format_.planes(); ++p) {
        const RowRange rows = format_.slice_rows(p, slice, count);
        Plane& plane = frame.planes[p];
        if (!packet.keyframe)
            copy_rows(history_.frame(1).planes[p], rows, plane);
        else if (shown)
            copy_rows(last_->planes[p], rows, plane);
        else
            std::fill_n(plane.row(rows.top), static_cast<size_t>(rows.count()) * plane.width, grey(p));
        ErrorPlane& errors = frame.errors[p];
        std::fill_n(errors.row(rows.top), static_cast<size_t>(rows.count()) * errors.width, int8_t{0});
    }
}

uint16_t Decoder::grey(int p) const {
    const int middle = 1 << (coded_.depth - 1);
    return static_cast<uint16_t>(map_.identity() ? middle : std::min(middle, map_.planes[p].count(format_.depth) - 1));
}

DecodedFrame Decoder::repeat(const Damage& damage) {
    if (!last_) throw BitstreamError(damage.what + "; there is no frame before it to show");
    last_->pts = next_pts_;
    next_pts_ += std::min(last_->duration, INT64_MAX - next_pts_);
    last_->keyframe = last_->timed = last_->exact = false;
    last_->number = -1;
    last_->damage = {damage};
    return *last_;
}

}  // namespace nlvc
