#include "packet.h"

#include <algorithm>

#include "crc32c.h"
#include "model.h"

namespace nlvc {
namespace {

constexpr int kVersion = 1;
constexpr int64_t kSamplesPerByte = 8192;
constexpr int64_t kMaxNumber = int64_t{1} << 62;  ///< of a frame

void check_version(Reader& in) {
    const int version = in.u8("version");
    if (version == kVersion) return;
    const std::string known = std::to_string(kVersion);
    throw BitstreamError("the stream is of format version " + std::to_string(version) +
                         ", this library knows version " + known + " alone: use another release of it");
}

Sequence read_sequence(Reader& outer) {
    const ByteView bytes = outer.take(outer.varint_in(0, INT64_MAX, "sequence size"), "sequence");
    Reader in(bytes, "sequence header");
    check_version(in);
    Sequence s;
    s.format.width = static_cast<int>(in.varint_in(1, kMaxSize, "width"));
    s.format.height = static_cast<int>(in.varint_in(1, kMaxSize, "height"));
    s.format.layout = static_cast<Layout>(in.u8_in(0, 2, "layout"));
    s.format.alpha = in.u8_in(0, 1, "alpha") == 1;
    s.format.depth = in.u8_in(8, 16, "depth");
    const int subsampling = s.format.layout == Layout::kYuv ? 2 : 0;
    s.format.sx = in.u8_in(0, subsampling, "horizontal subsampling");
    s.format.sy = in.u8_in(0, subsampling, "vertical subsampling");
    s.format.time_base_numerator = in.varint_in(1, INT32_MAX, "time base numerator");
    s.format.time_base_denominator = in.varint_in(1, INT32_MAX, "time base denominator");
    const ByteView hash = in.take(s.model_hash.size(), "model hash");
    std::copy_n(hash.data, hash.size, s.model_hash.begin());
    s.delta = in.u8_in(0, kDeltas - 1, "delta");
    s.format.name = in.name("format name");
    s.model = in.take(in.varint_in(0, INT64_MAX, "model size"), "embedded model");
    s.side = read_side_information(in, {});
    return s;
}

}  // namespace

Packet read_packet(ByteView bytes, DamagedSlices damaged) {
    Reader in(bytes, "packet");
    const ByteView magic = in.take(2, "signature");
    if (magic.data[0] != 'N' || magic.data[1] != 'L') in.fail("signature", "is not NL");
    check_version(in);
    Packet packet;
    const int flags = in.u8_in(0, 3, "flags");
    packet.keyframe = (flags & 1) != 0;
    if (packet.keyframe) packet.sequence = read_sequence(in);
    packet.number = in.varint_in(packet.keyframe ? 0 : 1, kMaxNumber, "frame number");
    packet.pts_difference = in.svarint("pts");
    packet.duration = in.varint_in(0, INT64_MAX, "duration");
    if ((flags & 2) != 0) {
        Reader side(in.take(in.varint_in(0, INT64_MAX, "size of side information"), "side information"),
                    "side information of a frame");
        packet.side = read_side_information(
            side, packet.keyframe ? std::set<int>{kSampleMapType, kCorrectionsType} : std::set<int>{kCorrectionsType});
    }
    packet.q = in.u8_in(0, 8, "sample shift");
    packet.slices.resize(in.u8_in(1, kMaxSlices, "slice count"));
    packet.checksum = in.u32("frame checksum");
    std::vector<uint64_t> sizes;
    for (SliceHeader& slice : packet.slices) {
        slice.mode = static_cast<SliceMode>(in.u8_in(0, 2, "slice mode"));
        sizes.push_back(in.varint("slice size"));
        slice.crc = in.u32("slice checksum");
        if (packet.slices.size() > 1) slice.sample_check = in.u16("sample check");
    }
    const uint32_t found = crc32c(bytes.data, in.position());
    if (in.u32("header checksum") != found) in.fail("header", "does not have its checksum: it is damaged");
    for (size_t i = 0; i < sizes.size(); ++i) {
        SliceHeader& slice = packet.slices[i];
        slice.offset = in.position();
        const std::string where =
            "packet, slice " + std::to_string(i) + ", byte " + std::to_string(slice.offset) + ": ";
        if (sizes[i] > in.remaining()) slice.damage = where + "cut off";
        slice.payload = in.take(std::min<uint64_t>(sizes[i], in.remaining()), "slice payload");
        if (slice.damage.empty() && slice_checksum(slice.mode, slice.payload) != slice.crc)
            slice.damage = where + "checksum mismatch, the data is damaged";
        if (!slice.damage.empty() && damaged == DamagedSlices::kRefuse) throw BitstreamError(slice.damage);
    }
    in.expect_end();
    return packet;
}

SampleMap sample_map(const Packet& packet, const PictureFormat& format) {
    const auto found = packet.side.find(kSampleMapType);
    return found == packet.side.end() ? SampleMap() : read_sample_map(found->second, format);
}

PictureFormat coded_format(const PictureFormat& format, const SampleMap& map) {
    PictureFormat coded = format;
    coded.depth = map.coded_depth(format.depth);
    return coded;
}

void check_packet(const Packet& packet, const PictureFormat& format) {
    if (packet.q > format.depth - 8) throw BitstreamError("packet: sample shift is above depth - 8");
    const int count = static_cast<int>(packet.slices.size());
    if (count > format.slice_units()) throw BitstreamError("packet: more slices than the picture has slice units");
    for (int i = 0; i < count; ++i) {
        const int64_t samples = format.slice_samples(i, count);
        if (!packet.slices[i].damage.empty()) continue;
        const size_t size = packet.slices[i].payload.size;
        const std::string where = "packet, slice " + std::to_string(i) + ": ";
        if (packet.slices[i].mode == SliceMode::kRaw && size != static_cast<size_t>(samples * format.sample_bytes()))
            throw BitstreamError(where + "the raw payload is not as long as its samples");
        if (packet.slices[i].mode != SliceMode::kRaw && size < least_payload(samples))
            throw BitstreamError(where + "the payload is too short for " + std::to_string(samples) + " samples");
    }
}

Bytes write_packet(const Packet& packet, ByteView sequence) {
    Writer out;
    const int flags = (packet.keyframe ? 1 : 0) | (packet.side.empty() ? 0 : 2);
    for (const int byte : {int{'N'}, int{'L'}, kVersion, flags}) out.u8(byte);
    out.append(sequence);
    out.varint(static_cast<uint64_t>(packet.number));
    out.svarint(packet.pts_difference);
    out.varint(static_cast<uint64_t>(packet.duration));
    if (!packet.side.empty()) {
        const Bytes side = write_side_information(packet.side);
        out.varint(side.size());
        out.append(side);
    }
    out.u8(packet.q);
    out.u8(static_cast<int>(packet.slices.size()));
    out.u32(packet.checksum);
    for (const SliceHeader& slice : packet.slices) {
        out.u8(static_cast<int>(slice.mode));
        out.varint(slice.payload.size);
        out.u32(slice.crc);
        if (packet.slices.size() > 1) out.u16(slice.sample_check);
    }
    out.u32(crc32c(out.bytes.data(), out.bytes.size()));
    for (const SliceHeader& slice : packet.slices) out.append(slice.payload);
    return std::move(out.bytes);
}

Sequence read_sequence_header(ByteView bytes) {
    Reader in(bytes, "sequence header");
    const Sequence sequence = read_sequence(in);
    if (in.remaining() == 1) in.u8_in(0, 0, "padding");  // containers round the size up to even
    in.expect_end();
    return sequence;
}

Bytes write_sequence(const Sequence& s) {
    Writer body;
    body.u8(kVersion);
    body.varint(static_cast<uint64_t>(s.format.width));
    body.varint(static_cast<uint64_t>(s.format.height));
    for (const int byte :
         {static_cast<int>(s.format.layout), s.format.alpha ? 1 : 0, s.format.depth, s.format.sx, s.format.sy})
        body.u8(byte);
    body.varint(static_cast<uint64_t>(s.format.time_base_numerator));
    body.varint(static_cast<uint64_t>(s.format.time_base_denominator));
    body.append({s.model_hash.data(), s.model_hash.size()});
    body.u8(s.delta);
    body.name(s.format.name);
    body.varint(s.model.size);
    body.append(s.model);
    body.append(write_side_information(s.side));
    Writer out;
    out.varint(body.bytes.size());
    out.append(body.bytes);
    return std::move(out.bytes);
}

uint32_t slice_checksum(SliceMode mode, ByteView payload) {
    const uint8_t byte = static_cast<uint8_t>(mode);
    return crc32c(payload.data, payload.size, crc32c(&byte, 1));
}

size_t least_payload(int64_t samples) { return static_cast<size_t>(samples / kSamplesPerByte); }

}  // namespace nlvc
