// Codes frames with every set of kernels of this processor and compares the packets with given ones, and decodes those
// with every set: run by tests/test_processors.py, also for other processors.
//
// check_codec MODEL PLANES PACKETS width height layout depth sx sy delta effort
// PLANES: all frames, plane after plane, two bytes a sample; PACKETS: for each a 32-bit length and its bytes; all
// little-endian. Packets are compared at effort 0 alone: what is fitted above it may rest on a machine's logarithms.
// Prints the names of the sets of kernels.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "decoder.h"
#include "encoder.h"

using namespace nlvc;

namespace {

Bytes read_file(const char* path) {
    std::ifstream in(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
}

[[noreturn]] void fail(const std::string& message) {
    std::cerr << message << "\n";
    std::exit(1);
}

std::vector<std::vector<Plane>> read_frames(const PictureFormat& format, const Bytes& bytes) {
    std::vector<std::vector<Plane>> frames;
    size_t at = 0;
    while (at < bytes.size()) {
        std::vector<Plane> planes;
        for (int p = 0; p < format.planes(); ++p) {
            Plane plane(format.plane_width(p), format.plane_height(p));
            for (uint16_t& v : plane.values) {
                v = static_cast<uint16_t>(bytes.at(at) | bytes.at(at + 1) << 8);
                at += 2;
            }
            planes.push_back(std::move(plane));
        }
        frames.push_back(std::move(planes));
    }
    return frames;
}

std::vector<Bytes> read_packets(const Bytes& bytes) {
    std::vector<Bytes> packets;
    Reader in(bytes, "packets");
    while (in.remaining() > 0) {
        const uint32_t size = in.u32("size");
        packets.push_back(in.take(size, "packet").copy());
    }
    return packets;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 12) fail("wrong number of arguments");
    const Bytes model = read_file(argv[1]);
    PictureFormat format;
    format.width = std::atoi(argv[4]);
    format.height = std::atoi(argv[5]);
    format.layout = static_cast<Layout>(std::atoi(argv[6]));
    format.depth = std::atoi(argv[7]);
    format.sx = std::atoi(argv[8]);
    format.sy = std::atoi(argv[9]);
    format.name = "test";
    const auto frames = read_frames(format, read_file(argv[2]));
    const auto packets = read_packets(read_file(argv[3]));
    if (frames.empty() || frames.size() != packets.size()) fail("frames and packets differ in number");
    for (const Kernels* kernels : available_kernels()) {
        const std::string name = kernels->name;
        EncoderSettings settings;
        settings.delta = std::atoi(argv[10]);
        settings.effort = std::atoi(argv[11]);
        settings.scene_cuts = false;
        settings.threads = 1;
        settings.kernels = name;
        Encoder encoder(format, model, settings);
        Decoder decoder([&](const Hash&) { return model; }, 1, name);
        for (size_t i = 0; i < frames.size(); ++i) {
            const Bytes coded = encoder.encode(frames[i], static_cast<int64_t>(i), 1, false).data;
            if (settings.effort == 0 && coded != packets[i]) fail(name + ": packet " + std::to_string(i) + " differs");
            const DecodedFrame decoded = decoder.decode(packets[i]);
            for (size_t p = 0; p < frames[i].size(); ++p)
                if (decoded.planes[p].values != frames[i][p].values)
                    fail(name + ": frame " + std::to_string(i) + " differs");
        }
        std::cout << name << "\n";
    }
}
