// Model differences, and the examples that models are fitted to.
#include <pybind11/stl.h>

#include "arrays.h"
#include "examples.h"
#include "model_difference.h"

namespace nlvc {
namespace {

Array<int8_t> taps(const std::vector<int8_t>& values, size_t rows, int columns) {
    Array<int8_t> out({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(columns)});
    std::copy(values.begin(), values.end(), out.mutable_data());
    return out;
}

}  // namespace

void bind_models(py::module_& module) {
    using namespace py::literals;
    py::class_<Examples>(module, "Examples")
        .def_readonly("frame_type", &Examples::frame_type)
        .def_readonly("plane_class", &Examples::plane_class)
        .def_readonly("depth", &Examples::depth)
        .def_readonly("q", &Examples::q)
        .def_property_readonly("input_taps",
                               [](const Examples& e) { return taps(e.input_taps, e.samples.size(), e.inputs); })
        .def_property_readonly("error_taps",
                               [](const Examples& e) { return taps(e.error_taps, e.samples.size(), e.errors); })
        .def_property_readonly("anchors",
                               [](const Examples& e) {
                                   return Array<int32_t>(static_cast<py::ssize_t>(e.anchors.size()), e.anchors.data());
                               })
        .def_property_readonly("samples", [](const Examples& e) {
            return Array<uint16_t>(static_cast<py::ssize_t>(e.samples.size()), e.samples.data());
        });
    module.def(
        "is_model_difference", [](const py::buffer& file) { return is_model_difference(to_bytes(file)); }, "file"_a);
    module.def(
        "model_difference_base",
        [](const py::buffer& difference) {
            const Hash base = difference_base(to_bytes(difference));
            return from_bytes({base.data(), base.size()});
        },
        "difference"_a);
    module.def(
        "apply_model_difference",
        [](const py::buffer& difference, const py::buffer& base) {
            return from_bytes(apply_model_difference(to_bytes(difference), to_bytes(base)));
        },
        "difference"_a, "base"_a);
    module.def(
        "write_model_difference",
        [](const py::buffer& base, const py::buffer& fitted, int delta) {
            return from_bytes(write_model_difference(to_bytes(base), to_bytes(fitted), delta));
        },
        "base"_a, "fitted"_a, py::kw_only(), "delta"_a);
}

}  // namespace nlvc
