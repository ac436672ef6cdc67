// The C ABI's decoder: the first packet (split.h) is the extradata. Frames are read in both ways.
#include <vector>

#include "nlvc.h"
#include "packet.h"
#include "split.h"

namespace {

constexpr int64_t kMostSamples = 1 << 14;

bool small(nlvc::ByteView packet) {
    try {
        const nlvc::Packet read = nlvc::read_packet(packet);
        return !read.sequence || read.sequence->format.slice_samples(0, 1) <= kMostSamples;
    } catch (const nlvc::BitstreamError&) {
        return true;
    }
}

void receive(nlvc_decoder* decoder, bool into) {
    nlvc_frame frame{};
    if (!into) {
        nlvc_decoder_receive(decoder, &frame);
        return;
    }
    if (nlvc_decoder_format(decoder, &frame.format) != NLVC_OK) return;
    std::vector<std::vector<uint8_t>> memory;
    for (int p = 0; p < 4; ++p) {
        size_t row_bytes = 0;
        int rows = 0;
        if (nlvc_plane_size(&frame.format, p, &row_bytes, &rows) != NLVC_OK) break;
        if (row_bytes * static_cast<size_t>(rows) > size_t{1} << 20) return;
        memory.emplace_back(row_bytes * static_cast<size_t>(rows));
        frame.planes[p] = memory.back().data();
        frame.strides[p] = static_cast<ptrdiff_t>(row_bytes);
    }
    nlvc_decoder_receive_into(decoder, &frame);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const char* const options[] = {"threads=1", nullptr};
    nlvc_decoder* decoder = nullptr;
    bool first = true;
    int number = 0;
    nlvc::for_each_packet({data, size}, [&](nlvc::ByteView packet) {
        if (first) {
            first = false;
            if (nlvc_decoder_open(packet.data, packet.size, options, &decoder) != NLVC_OK)
                nlvc_decoder_open(nullptr, 0, options, &decoder);
            return;
        }
        if (!small(packet)) return;
        nlvc_decoder_send(decoder, packet.data, packet.size);
        receive(decoder, ++number % 2 == 0);
        if (number % 5 == 0) nlvc_decoder_reset(decoder);
    });
    nlvc_decoder_close(decoder);
    return 0;
}
