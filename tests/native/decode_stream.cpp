// Decodes a stream and counts: run by benchmarks/processors.py, also for other processors.
//
// decode_stream MODEL PACKETS KERNELS SECONDS
// PACKETS: for each a 32-bit length, little-endian, and its bytes; keyframes may begin other formats. KERNELS: a name,
// or "fastest". Stops after so many seconds. A packet whose samples do not have the checksum that the encoder stored is
// a mismatch. Prints frames, samples, mismatches and the name of the kernels.
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>

#include "decoder.h"

using namespace nlvc;

namespace {

Bytes read_file(const char* path) {
    std::ifstream in(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    const Bytes model = read_file(argv[1]), stream = read_file(argv[2]);
    const std::string name = std::string(argv[3]) == "fastest" ? "" : argv[3];
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[4]));
    Decoder decoder([&](const Hash&) { return model; }, 1, name);
    Reader in(stream, "packets");
    int64_t frames = 0, samples = 0, mismatches = 0;
    while (in.remaining() > 0 && std::chrono::steady_clock::now() < end) {
        const uint32_t size = in.u32("size");
        try {
            const DecodedFrame frame = decoder.decode(in.take(size, "packet"));
            for (const Plane& plane : frame.planes) samples += static_cast<int64_t>(plane.values.size());
        } catch (const BitstreamError&) {
            ++mismatches;
        }
        ++frames;
    }
    std::cout << frames << " " << samples << " " << mismatches << " " << choose_kernels(name).name << "\n";
}
