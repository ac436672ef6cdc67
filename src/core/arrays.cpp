#include "arrays.h"

#include <string>

namespace nlvc {

Bytes to_bytes(const py::buffer& object) {
    Py_buffer view;
    if (PyObject_GetBuffer(object.ptr(), &view, PyBUF_SIMPLE) != 0) throw py::error_already_set();
    const auto* first = static_cast<const uint8_t*>(view.buf);
    Bytes bytes(first, first + view.len);
    PyBuffer_Release(&view);
    return bytes;
}

py::bytes from_bytes(ByteView bytes) { return py::bytes(reinterpret_cast<const char*>(bytes.data), bytes.size); }

SideInformation side_from_dict(const py::dict& entries) {
    SideInformation side;
    for (const auto& [type, bytes] : entries) side[type.cast<int>()] = to_bytes(bytes.cast<py::buffer>());
    return side;
}

py::dict side_to_dict(const SideInformation& side) {
    py::dict entries;
    for (const auto& [type, bytes] : side) entries[py::int_(type)] = from_bytes(bytes);
    return entries;
}

Plane plane_from_buffer(const py::buffer& object, int depth, size_t index) {
    const py::buffer_info info = object.request();
    const bool narrow = depth == 8;
    const std::string where = "plane " + std::to_string(index) + ": ";
    if (info.ndim != 2)
        throw std::invalid_argument(where + "expected two dimensions, got " + std::to_string(info.ndim));
    if (info.format != (narrow ? py::format_descriptor<uint8_t>::format() : py::format_descriptor<uint16_t>::format()))
        throw std::invalid_argument(where + "expected " + (narrow ? "uint8" : "uint16") + " samples for depth " +
                                    std::to_string(depth));
    if (info.shape[1] > 1 && info.strides[1] != info.itemsize)
        throw std::invalid_argument(where + "samples of a row must be contiguous");
    Plane plane(static_cast<int>(info.shape[1]), static_cast<int>(info.shape[0]));
    for (int y = 0; y < plane.height; ++y) {
        const char* row = static_cast<const char*>(info.ptr) + y * info.strides[0];
        if (narrow)
            std::copy_n(reinterpret_cast<const uint8_t*>(row), plane.width, plane.row(y));
        else
            std::copy_n(reinterpret_cast<const uint16_t*>(row), plane.width, plane.row(y));
    }
    return plane;
}

py::array array_from_plane(const Plane& plane, int depth) {
    if (depth > 8) return array_from_grid(plane);
    Array<uint8_t> array({plane.height, plane.width});
    std::copy_n(plane.values.data(), plane.values.size(), array.mutable_data());
    return array;
}

MotionField field_from_array(const Array<int16_t>& array, int block) {
    MotionField field;
    field.block = block;
    if (array.size() == 0) return field;
    if (array.ndim() != 3 || array.shape(2) != 2) throw std::invalid_argument("expected vectors [rows, columns, 2]");
    field.rows = static_cast<int>(array.shape(0));
    field.columns = static_cast<int>(array.shape(1));
    for (py::ssize_t i = 0; i < array.size(); i += 2) field.vectors.push_back({array.data()[i], array.data()[i + 1]});
    return field;
}

Array<int16_t> array_from_field(const MotionField& field) {
    Array<int16_t> array({field.rows, field.columns, 2});
    int16_t* out = array.mutable_data();
    for (const Vector& v : field.vectors) *out++ = v.x, *out++ = v.y;
    return array;
}

}  // namespace nlvc
