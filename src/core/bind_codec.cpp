// Encoder and Decoder.
#include <pybind11/stl.h>

#include "accelerator_object.h"
#include "arrays.h"
#include "decoder.h"
#include "encoder.h"

namespace nlvc {
namespace {

std::vector<Plane> to_planes(const Encoder& encoder, const py::list& planes) {
    std::vector<Plane> samples;
    for (const py::handle& plane : planes) {
        if (!PyObject_CheckBuffer(plane.ptr()))
            throw py::type_error("plane " + std::to_string(samples.size()) + " has no buffer");
        samples.push_back(
            plane_from_buffer(py::reinterpret_borrow<py::buffer>(plane), encoder.format().depth, samples.size()));
    }
    return samples;
}

EncodedFrame encode(Encoder& encoder, const py::list& planes, int64_t pts, int64_t duration, bool force_keyframe,
                    const std::optional<py::dict>& side) {
    std::vector<Plane> samples = to_planes(encoder, planes);
    std::optional<SideInformation> entries;
    if (side) entries = side_from_dict(*side);
    const py::gil_scoped_release release;
    return encoder.encode(std::move(samples), pts, duration, force_keyframe, entries);
}

void skip(Encoder& encoder, const py::list& planes, int64_t pts, int64_t duration, bool force_keyframe,
          bool was_keyframe) {
    std::vector<Plane> samples = to_planes(encoder, planes);
    const py::gil_scoped_release release;
    encoder.skip(std::move(samples), pts, duration, force_keyframe, was_keyframe);
}

std::unique_ptr<Encoder> make_encoder(const PictureFormat& format, const py::buffer& model, int delta,
                                      int keyframe_interval, int slices, int threads, bool embed_model, bool scene_cuts,
                                      int effort, const std::string& kernels, const py::dict& side,
                                      int64_t first_number, const py::buffer& difference, int examples,
                                      const py::object& accelerator) {
    const EncoderSettings settings{
        delta,        keyframe_interval,    slices,  threads, embed_model, scene_cuts, effort, false, kernels,
        first_number, to_bytes(difference), examples};
    return std::make_unique<Encoder>(format, to_bytes(model), settings, side_from_dict(side),
                                     accelerator_maker(accelerator));
}

std::unique_ptr<Decoder> make_decoder(py::function find_model, int threads, const std::string& kernels, bool analysis,
                                      const py::object& accelerator) {
    FindModel find = [find_model = std::move(find_model)](const Hash& hash) -> std::optional<Bytes> {
        const py::gil_scoped_acquire acquire;
        const py::object found = find_model(from_bytes({hash.data(), hash.size()}));
        if (found.is_none()) return std::nullopt;
        if (!PyObject_CheckBuffer(found.ptr())) throw py::type_error("find_model must return bytes or None");
        return to_bytes(py::reinterpret_borrow<py::buffer>(found));
    };
    return std::make_unique<Decoder>(std::move(find), threads, kernels, analysis, accelerator_maker(accelerator));
}

DecodedFrame decode(Decoder& decoder, const py::buffer& packet) {
    const Bytes bytes = to_bytes(packet);
    const py::gil_scoped_release release;
    return decoder.decode(bytes);
}

void reset(Decoder& decoder) { decoder.reset(); }

DecodedFrame conceal(Decoder& decoder, const py::buffer& packet) {
    const Bytes bytes = to_bytes(packet);
    const py::gil_scoped_release release;
    return decoder.conceal(bytes);
}

}  // namespace

void bind_codec(py::module_& module) {
    py::class_<EncodedFrame>(module, "EncodedFrame")
        .def_property_readonly("data", [](const EncodedFrame& f) { return from_bytes(f.data); })
        .def_readonly("is_keyframe", &EncodedFrame::keyframe)
        .def_readonly("plane_bits", &EncodedFrame::plane_bits)
        .def_readonly("motion_bits", &EncodedFrame::motion_bits)
        .def_readonly("checksum", &EncodedFrame::checksum)
        .def_readonly("examples", &EncodedFrame::examples);

    py::class_<Encoder>(module, "Encoder")
        .def(py::init(&make_encoder), py::arg("format"), py::arg("model"), py::kw_only(), py::arg("delta") = 2,
             py::arg("keyframe_interval") = 0, py::arg("slices") = 0, py::arg("threads") = 0,
             py::arg("embed_model") = false, py::arg("scene_cuts") = true, py::arg("effort") = 0,
             py::arg("kernels") = "", py::arg("side") = py::dict(), py::arg("first_number") = 0,
             py::arg("difference") = py::bytes(), py::arg("examples") = 0, py::arg("accelerator") = py::none())
        .def("encode", &encode, py::arg("planes"), py::kw_only(), py::arg("pts"), py::arg("duration"),
             py::arg("force_keyframe") = false, py::arg("side") = py::none())
        .def("skip", &skip, py::arg("planes"), py::kw_only(), py::arg("pts"), py::arg("duration"),
             py::arg("force_keyframe"), py::arg("was_keyframe"))
        .def_property_readonly("sequence_header", [](const Encoder& e) { return from_bytes(e.sequence_header()); })
        .def_property_readonly("model_hash", [](const Encoder& e) { return hex(e.model_hash()); });

    py::class_<DecodedFrame>(module, "DecodedFrame")
        .def_property_readonly("planes",
                               [](const DecodedFrame& f) {
                                   py::list planes;
                                   for (const Plane& plane : f.planes)
                                       planes.append(array_from_plane(plane, f.format.depth));
                                   return planes;
                               })
        .def_readonly("pts", &DecodedFrame::pts)
        .def_readonly("duration", &DecodedFrame::duration)
        .def_readonly("is_keyframe", &DecodedFrame::keyframe)
        .def_readonly("format", &DecodedFrame::format)
        .def_readonly("checksum", &DecodedFrame::checksum)
        .def_readonly("slices", &DecodedFrame::slices)
        .def_property_readonly("model_hash", [](const DecodedFrame& f) { return hex(f.model_hash); })
        .def_readonly("delta", &DecodedFrame::delta)
        .def_property_readonly("side", [](const DecodedFrame& f) { return side_to_dict(f.side); })
        .def_readonly("coded_depth", &DecodedFrame::coded_depth)
        .def_readonly("number", &DecodedFrame::number)
        .def_readonly("exact", &DecodedFrame::exact)
        .def_readonly("timed", &DecodedFrame::timed)
        .def_readonly("damage", &DecodedFrame::damage)
        .def_property_readonly("plane_bits", [](const DecodedFrame& f) { return f.costs.planes; })
        .def_property_readonly("motion_bits", [](const DecodedFrame& f) { return f.costs.motion; })
        .def_property_readonly("block_bits", [](const DecodedFrame& f) { return array_from_grid(f.costs.blocks); });

    py::class_<Damage>(module, "Damage")
        .def_property_readonly("kind",
                               [](const Damage& d) {
                                   constexpr const char* kKinds[] = {"damaged", "dependent", "missing"};
                                   return kKinds[static_cast<int>(d.kind)];
                               })
        .def_readonly("slice", &Damage::slice)
        .def_readonly("offset", &Damage::offset)
        .def_readonly("what", &Damage::what);

    py::class_<Decoder>(module, "Decoder")
        .def(py::init(&make_decoder), py::arg("find_model"), py::kw_only(), py::arg("threads") = 0,
             py::arg("kernels") = "", py::arg("analysis") = false, py::arg("accelerator") = py::none())
        .def("decode", &decode, py::arg("packet"))
        .def("conceal", &conceal, py::arg("packet"))
        .def("reset", &reset);
}

}  // namespace nlvc
