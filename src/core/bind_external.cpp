// What a codec needs whose network runs outside this module: packets from payloads, and a range decoder that stops
// after each group.
#include <pybind11/stl.h>

#include "arrays.h"
#include "crc32c.h"
#include "kernels/kernels.h"
#include "packet.h"
#include "range_coder.h"

namespace nlvc {
namespace {

py::bytes write_sequence_header(const PictureFormat& format, const py::buffer& hash, int delta,
                                const py::buffer& embedded_model, const py::dict& side) {
    const Bytes digest = to_bytes(hash), model = to_bytes(embedded_model);
    Sequence sequence{format, {}, delta, model, side_from_dict(side)};
    if (digest.size() != sequence.model_hash.size()) throw std::invalid_argument("a model hash has 32 bytes");
    std::copy(digest.begin(), digest.end(), sequence.model_hash.begin());
    return from_bytes(write_sequence(sequence));
}

py::bytes write_single_slice(const py::buffer& sequence, int64_t number, int64_t pts_difference, int64_t duration,
                             uint32_t checksum, const py::dict& side, bool raw, const py::buffer& payload) {
    const Bytes header = to_bytes(sequence), bytes = to_bytes(payload);
    if (number < 0) throw std::invalid_argument("number is negative");
    if (duration < 0) throw std::invalid_argument("duration is negative");
    Packet packet;
    packet.keyframe = !header.empty();
    packet.number = number;
    packet.pts_difference = pts_difference;
    packet.duration = duration;
    packet.side = side_from_dict(side);
    packet.checksum = checksum;
    const SliceMode mode = raw ? SliceMode::kRaw : SliceMode::kModel;
    packet.slices.emplace_back();
    packet.slices[0].mode = mode;
    packet.slices[0].payload = bytes;
    packet.slices[0].crc = slice_checksum(mode, bytes);
    return from_bytes(write_packet(packet, header));
}

py::list slice_payloads(const py::buffer& object) {
    const Bytes bytes = to_bytes(object);
    py::list payloads;
    for (const SliceHeader& slice : read_packet(bytes).slices) payloads.append(from_bytes(slice.payload));
    return payloads;
}

/// Decodes samples as their distributions become known.
class SampleDecoder {
  public:
    explicit SampleDecoder(const py::buffer& data)
        : bytes_(to_bytes(data)), coder_(bytes_), kernels_(choose_kernels("")) {}

    Array<uint16_t> decode(const Array<int32_t>& outputs, const Array<int32_t>& mean) {
        const py::ssize_t count = mean.size();
        if (outputs.ndim() != 2 || outputs.shape(0) != count || outputs.shape(1) != kOutputs)
            throw std::invalid_argument("expected outputs [n, 9] and mean [n]");
        Array<uint16_t> samples(count);
        const int32_t* out = outputs.data();
        const int32_t* centres = mean.data();
        uint16_t* to = samples.mutable_data();
        const py::gil_scoped_release release;  // the threads of a decoder open several frames at once
        PendingSamples pending;
        pending.coder = &coder_.state();
        for (py::ssize_t first = 0; first < count; first += kLanes) {
            const auto lanes = static_cast<int>(std::min<py::ssize_t>(kLanes, count - first));
            int32_t transposed[kOutputs][kLanes] = {}, means[kLanes] = {};
            for (int lane = 0; lane < lanes; ++lane) {
                for (int j = 0; j < kOutputs; ++j) transposed[j][lane] = checked(out[(first + lane) * kOutputs + j]);
                means[lane] = centres[first + lane];
                if (means[lane] < 0 || means[lane] > 255 * 32)
                    throw std::invalid_argument("a mean is not in [0, 32 * maximum]");
            }
            pending.count = lanes;
            pending.samples = to + first;
            kernels_.open(transposed, means, pending, nullptr);
            kernels_.finish(pending);
        }
        return samples;
    }

  private:
    static int32_t checked(int32_t output) {
        if (output < -(1 << 29) || output >= 1 << 29) throw std::invalid_argument("an output is beyond 2^29");
        return output;
    }

    Bytes bytes_;
    RangeDecoder coder_;
    const Kernels& kernels_;
};

}  // namespace

void bind_external(py::module_& module) {
    using namespace py::literals;
    module.def("write_sequence_header", &write_sequence_header, "format"_a, py::kw_only(), "model_hash"_a, "delta"_a,
               "embedded_model"_a, "side"_a);
    module.def("write_single_slice", &write_single_slice, "sequence"_a, py::kw_only(), "number"_a, "pts_difference"_a,
               "duration"_a, "checksum"_a, "side"_a, "raw"_a, "payload"_a);
    module.def("slice_payloads", &slice_payloads, "packet"_a);
    py::class_<SampleDecoder>(module, "SampleDecoder")
        .def(py::init<const py::buffer&>(), "data"_a)
        .def("decode", &SampleDecoder::decode, "outputs"_a.noconvert(), "mean"_a.noconvert());
}

}  // namespace nlvc
