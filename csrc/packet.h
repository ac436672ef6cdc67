// The syntax of packets (docs/bitstream.md section 9). It stands here once, for both directions.
#pragma once
#include <optional>
#include <vector>

#include "bytes.h"
#include "format.h"
#include "sample_map.h"
#include "sha256.h"
#include "side_information.h"

namespace nlvc {

/// What a keyframe says about the stream.
struct Sequence {
    PictureFormat format;
    Hash model_hash{};
    int delta = 2;
    ByteView model;        ///< the embedded model file, empty when it is not embedded; points into the packet
    SideInformation side;  ///< of every frame that says nothing else
};

enum class SliceMode : uint8_t {
    kModel = 0,
    kRaw = 1,
    kRepeats = 2,  ///< the model for those samples that do not repeat
};

struct SliceHeader {
    SliceMode mode = SliceMode::kModel;
    ByteView payload;           ///< points into the packet
    uint32_t crc = 0;           ///< CRC-32C of mode and payload
    uint16_t sample_check = 0;  ///< of the numbers that it decodes to; 0 where the frame has one slice
    size_t offset = 0;          ///< of the payload in the packet, bytes
    std::string damage = {};    ///< what is wrong with the payload; empty: nothing
};

/// What reading does about payloads that are cut off or lack their checksum.
enum class DamagedSlices { kRefuse, kMark };

struct Packet {
    bool keyframe = false;
    std::optional<Sequence> sequence;  ///< in a keyframe
    int64_t number = 0;                ///< frames since the keyframe; in a keyframe frames of the stream before it
    int64_t pts_difference = 0;        ///< to the previous packet's pts + duration; the pts itself in a keyframe, ticks
    int64_t duration = 0;              ///< ticks
    SideInformation side;              ///< what changes with this frame
    int q = 0;                         ///< sample shift
    uint32_t checksum = 0;             ///< CRC-32C of the frame's samples
    std::vector<SliceHeader> slices;
};

/// Checks syntax and the checksums of the slices, allocates nothing for samples.
Packet read_packet(ByteView bytes, DamagedSlices damaged = DamagedSlices::kRefuse);
/// The map that a keyframe sends, else the identity.
SampleMap sample_map(const Packet& packet, const PictureFormat& format);
/// `format` with the depth at which its samples are coded.
PictureFormat coded_format(const PictureFormat& format, const SampleMap& map);
/// Checks what only the coded format can tell: q, the number of slices and the sizes of their payloads.
void check_packet(const Packet& packet, const PictureFormat& coded);
/// `sequence`: as write_sequence made it; empty when the packet is not a keyframe.
Bytes write_packet(const Packet& packet, ByteView sequence);

/// The container's extradata.
Sequence read_sequence_header(ByteView bytes);
Bytes write_sequence(const Sequence& sequence);

uint32_t slice_checksum(SliceMode mode, ByteView payload);
/// Fewest bytes in the payload of a model slice.
size_t least_payload(int64_t samples);

}  // namespace nlvc
