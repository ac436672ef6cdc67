// NumPy arrays <-> planes and fields.
#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "bytes.h"
#include "motion.h"
#include "plane.h"
#include "side_information.h"

namespace nlvc {

namespace py = pybind11;

inline void expect(bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
}

/// C-contiguous array of T; other arrays of T are copied, other types refused.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

/// A copy of what a C-contiguous object with the buffer protocol holds.
Bytes to_bytes(const py::buffer& object);
py::bytes from_bytes(ByteView bytes);

/// {type: bytes} with types 0..255.
SideInformation side_from_dict(const py::dict& entries);
py::dict side_to_dict(const SideInformation& side);

/// Copies a 2-D buffer of uint8 (depth 8) or uint16 samples whose rows may have padding.
Plane plane_from_buffer(const py::buffer& object, int depth, size_t index);
/// uint8 for depth 8, else uint16.
py::array array_from_plane(const Plane& plane, int depth);

template <class T>
Grid<T> grid_from_array(const Array<T>& array) {
    if (array.ndim() != 2) throw std::invalid_argument("expected an array of two dimensions");
    Grid<T> grid(static_cast<int>(array.shape(1)), static_cast<int>(array.shape(0)));
    std::copy_n(array.data(), grid.values.size(), grid.values.begin());
    return grid;
}

template <class T>
Array<T> array_from_grid(const Grid<T>& grid) {
    Array<T> array({grid.height, grid.width});
    std::copy_n(grid.values.data(), grid.values.size(), array.mutable_data());
    return array;
}

/// int16 [rows, columns, 2] (x, y); empty array: empty field.
MotionField field_from_array(const Array<int16_t>& array, int block);
Array<int16_t> array_from_field(const MotionField& field);

void bind_codec(py::module_& module);
void bind_packets(py::module_& module);
void bind_probes(py::module_& module);
void bind_evaluation(py::module_& module);
void bind_fitting(py::module_& module);
void bind_models(py::module_& module);
void bind_learning(py::module_& module);
void bind_external(py::module_& module);
void bind_transformer(py::module_& module);

}  // namespace nlvc
