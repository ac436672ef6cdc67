// For ThreadSanitizer (make threads): codes and decodes in four slices with eight threads, two codecs side by side,
// with an error on the way.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "decoder.h"
#include "encoder.h"

using namespace nlvc;

namespace {

constexpr int kFrames = 6;

std::vector<Plane> make_frame(const PictureFormat& format, int t) {
    std::vector<Plane> planes;
    for (int p = 0; p < format.planes(); ++p) {
        Plane plane(format.plane_width(p), format.plane_height(p));
        for (int y = 0; y < plane.height; ++y)
            for (int x = 0; x < plane.width; ++x)
                plane.row(y)[x] = static_cast<uint16_t>((x * 3 + y * 5 + t * 7 + x * y / (p + 9)) & 0xff);
        planes.push_back(std::move(plane));
    }
    return planes;
}

void work(const Bytes& model, int effort) {
    PictureFormat format;
    format.width = 96;
    format.height = 80;
    format.sx = format.sy = 1;
    EncoderSettings settings;
    settings.slices = 4;
    settings.threads = 8;
    settings.effort = effort;
    settings.scene_cuts = false;
    Encoder encoder(format, model, settings);
    Decoder decoder([&](const Hash&) { return model; }, 8);
    for (int t = 0; t < kFrames; ++t) {
        Bytes packet = encoder.encode(make_frame(format, t), t, 1, t == 3).data;
        if (t == 2) packet[packet.size() / 2] ^= 1;
        const DecodedFrame frame = decoder.conceal(packet);
        if (frame.exact == (t == 2)) std::abort();
    }
}

}  // namespace

int main(int, char** argv) {
    std::ifstream in(argv[1], std::ios::binary);
    const Bytes model(std::istreambuf_iterator<char>(in), {});
    std::thread other([&] { work(model, 0); });
    work(model, 3);
    other.join();
    std::cout << "threads: fine\n";
}
