// Streams: a byte that chooses kernels and what to do about damage, then packets (split.h) whose keyframes embed
// models.
#include "decoder.h"
#include "split.h"

using namespace nlvc;

namespace {

constexpr int64_t kMostSamples = 1 << 14;  ///< of a frame: larger ones take time, not other code

bool small(ByteView packet) {
    const Packet read = read_packet(packet, DamagedSlices::kMark);
    return !read.sequence || read.sequence->format.slice_samples(0, 1) <= kMostSamples;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const auto kernels = available_kernels();
    const bool conceal = (data[0] & 1) != 0;
    Decoder decoder(nullptr, 1, kernels[(data[0] >> 1) % kernels.size()]->name);
    for_each_packet({data + 1, size - 1}, [&](ByteView packet) {
        try {
            if (!small(packet)) return;
            if (conceal)
                decoder.conceal(packet);
            else
                decoder.decode(packet);
        } catch (const BitstreamError&) {
        } catch (const MissingModelError&) {
        }
    });
    return 0;
}
