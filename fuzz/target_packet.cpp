// Packets: syntax alone, then what only a keyframe's format can tell, and corrections.
#include "correction.h"
#include "packet.h"

using namespace nlvc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView bytes(data, size);
    for (const DamagedSlices damaged : {DamagedSlices::kRefuse, DamagedSlices::kMark}) {
        try {
            const Packet packet = read_packet(bytes, damaged);
            if (!packet.sequence) continue;
            const PictureFormat& format = packet.sequence->format;
            check_packet(packet, coded_format(format, sample_map(packet, format)));
        } catch (const BitstreamError&) {
        }
    }
    try {
        const std::vector<int> inputs{30, 20, 10};
        const std::vector<PlaneCorrection> none(inputs.size());
        read_corrections(inputs, none, bytes);
    } catch (const BitstreamError&) {
    }
    return 0;
}
