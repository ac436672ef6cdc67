// Formats, packet headers, models and checksums.
#include <pybind11/operators.h>
#include <pybind11/stl.h>

#include "arrays.h"
#include "crc32c.h"
#include "model.h"
#include "packet.h"

namespace nlvc {
namespace {

constexpr const char* kLayouts[] = {"grey", "yuv", "rgb"};
constexpr const char* kModeNames[] = {"model", "raw", "repeats"};  // by SliceMode

Layout layout_of(const std::string& name) {
    for (int i = 0; i < 3; ++i)
        if (name == kLayouts[i]) return static_cast<Layout>(i);
    throw std::invalid_argument("layout is '" + name + "', not grey, yuv or rgb");
}

PictureFormat make_format(int width, int height, const std::string& layout, bool alpha, int depth, int sx, int sy,
                          std::pair<int64_t, int64_t> time_base, const std::string& name) {
    PictureFormat f{width, height, layout_of(layout), alpha, depth, sx, sy, time_base.first, time_base.second, name};
    if (!f.problem().empty()) throw std::invalid_argument(f.problem());
    return f;
}

std::string describe(const PictureFormat& f) {
    return "Format(" + std::to_string(f.width) + "x" + std::to_string(f.height) + " " + f.name + ", " +
           kLayouts[static_cast<int>(f.layout)] + (f.alpha ? " + alpha" : "") + ", " + std::to_string(f.depth) +
           " bit)";
}

/// Owns what the views of a packet point to.
struct PacketInfo {
    Packet packet;
    Bytes model;
    Bytes sequence;  ///< as extradata would have it
    std::vector<std::string> modes;
    std::vector<size_t> sizes;
};

PacketInfo parse_packet(const py::buffer& object) {
    const Bytes bytes = to_bytes(object);
    PacketInfo info;
    info.packet = read_packet(bytes);
    if (info.packet.sequence) {
        const PictureFormat& format = info.packet.sequence->format;
        check_packet(info.packet, coded_format(format, sample_map(info.packet, format)));
        info.model = info.packet.sequence->model.copy();
        info.sequence = write_sequence(*info.packet.sequence);
    }
    for (const SliceHeader& slice : info.packet.slices) {
        info.modes.push_back(kModeNames[static_cast<size_t>(slice.mode)]);
        info.sizes.push_back(slice.payload.size);
    }
    info.packet.slices.clear();
    return info;
}

struct SequenceInfo {
    Sequence sequence;
    Bytes model;
};

SequenceInfo parse_sequence_header(const py::buffer& object) {
    const Bytes bytes = to_bytes(object);
    SequenceInfo info{read_sequence_header(bytes), {}};
    info.model = info.sequence.model.copy();
    return info;
}

template <class Get>
auto of_sequence(Get get) {
    return [get](const PacketInfo& i) -> py::object {
        return i.packet.sequence ? py::cast(get(*i.packet.sequence)) : py::none();
    };
}

}  // namespace

void bind_packets(py::module_& module) {
    py::class_<PictureFormat>(module, "Format")
        .def(py::init(&make_format), py::kw_only(), py::arg("width"), py::arg("height"), py::arg("layout"),
             py::arg("alpha") = false, py::arg("depth") = 8, py::arg("sx") = 0, py::arg("sy") = 0,
             py::arg("time_base") = std::pair<int64_t, int64_t>(1, 1), py::arg("format_name") = "")
        .def_readonly("width", &PictureFormat::width)
        .def_readonly("height", &PictureFormat::height)
        .def_property_readonly("layout", [](const PictureFormat& f) { return kLayouts[static_cast<int>(f.layout)]; })
        .def_readonly("alpha", &PictureFormat::alpha)
        .def_readonly("depth", &PictureFormat::depth)
        .def_readonly("sx", &PictureFormat::sx)
        .def_readonly("sy", &PictureFormat::sy)
        .def_property_readonly(
            "time_base",
            [](const PictureFormat& f) { return std::make_pair(f.time_base_numerator, f.time_base_denominator); })
        .def_readonly("format_name", &PictureFormat::name)
        .def_property_readonly("plane_shapes",
                               [](const PictureFormat& f) {
                                   std::vector<std::pair<int, int>> shapes;
                                   for (int p = 0; p < f.planes(); ++p)
                                       shapes.emplace_back(f.plane_height(p), f.plane_width(p));
                                   return shapes;
                               })
        .def(
            "slice_rows",
            [](const PictureFormat& f, int plane, int slice, int count) {
                if (plane < 0 || plane >= f.planes() || count < 1 || count > f.slice_units() || slice < 0 ||
                    slice >= count)
                    throw std::invalid_argument("no such plane or slice");
                const RowRange rows = f.slice_rows(plane, slice, count);
                return std::make_pair(rows.top, rows.bottom);
            },
            py::arg("plane"), py::arg("slice"), py::arg("count"))
        .def(py::self == py::self)
        .def("__hash__", [](const PictureFormat& f) { return py::hash(py::str(describe(f))); })
        .def("__repr__", &describe);

    py::class_<SequenceInfo>(module, "SequenceInfo")
        .def_property_readonly("format", [](const SequenceInfo& i) { return i.sequence.format; })
        .def_property_readonly("model_hash", [](const SequenceInfo& i) { return hex(i.sequence.model_hash); })
        .def_property_readonly("delta", [](const SequenceInfo& i) { return i.sequence.delta; })
        .def_property_readonly("embedded_model", [](const SequenceInfo& i) { return from_bytes(i.model); })
        .def_property_readonly("side", [](const SequenceInfo& i) { return side_to_dict(i.sequence.side); });

    py::class_<PacketInfo>(module, "PacketInfo")
        .def_property_readonly("is_keyframe", [](const PacketInfo& i) { return i.packet.keyframe; })
        .def_property_readonly("format", of_sequence([](const Sequence& s) { return s.format; }))
        .def_property_readonly("model_hash", of_sequence([](const Sequence& s) { return hex(s.model_hash); }))
        .def_property_readonly("delta", of_sequence([](const Sequence& s) { return s.delta; }))
        .def_property_readonly("embedded_model", [](const PacketInfo& i) { return from_bytes(i.model); })
        .def_property_readonly("number", [](const PacketInfo& i) { return i.packet.number; })
        .def_property_readonly("pts_difference", [](const PacketInfo& i) { return i.packet.pts_difference; })
        .def_property_readonly("duration", [](const PacketInfo& i) { return i.packet.duration; })
        .def_property_readonly("q", [](const PacketInfo& i) { return i.packet.q; })
        .def_property_readonly("checksum", [](const PacketInfo& i) { return i.packet.checksum; })
        .def_property_readonly("side", [](const PacketInfo& i) { return side_to_dict(i.packet.side); })
        .def_property_readonly("sequence_side",
                               [](const PacketInfo& i) -> py::object {
                                   if (!i.packet.sequence) return py::none();
                                   return side_to_dict(i.packet.sequence->side);
                               })
        .def_property_readonly("sequence_header",
                               [](const PacketInfo& i) -> py::object {
                                   if (!i.packet.sequence) return py::none();
                                   return from_bytes(i.sequence);
                               })
        .def_readonly("slice_modes", &PacketInfo::modes)
        .def_readonly("slice_sizes", &PacketInfo::sizes);

    py::class_<Model>(module, "ModelInfo")
        .def_readonly("name", &Model::name)
        .def_property_readonly("hash", [](const Model& m) { return hex(m.hash); })
        .def_property_readonly("networks", [](const Model& m) {
            std::vector<std::pair<int, int>> present;
            for (int type = 0; type < 2; ++type)
                for (int c = 0; c < kPlaneClasses; ++c)
                    if (m.networks[type][c]) present.emplace_back(type, c);
            return present;
        });

    module.def("parse_packet", &parse_packet, py::arg("packet"));
    module.def("parse_sequence_header", &parse_sequence_header, py::arg("extradata"));
    module.def(
        "parse_model", [](const py::buffer& data) { return parse_model(to_bytes(data)); }, py::arg("model"));
    module.def(
        "crc32c",
        [](const py::buffer& data, uint32_t initial) {
            const Bytes bytes = to_bytes(data);
            return crc32c(bytes.data(), bytes.size(), initial);
        },
        py::arg("data"), py::arg("initial") = 0);
}

}  // namespace nlvc
