// Corrections by themselves, for comparison of the kernels with their definition.
#include <pybind11/stl.h>

#include "arrays.h"
#include "correction.h"
#include "kernels/kernels.h"
#include "least_squares.h"

namespace nlvc {
namespace {

PlaneCorrection correction_from(const std::vector<CorrectionSet>& sets, int shift) {
    if (sets.empty() || sets.size() > kMaxSets || shift < kLeastShift || shift > kLeastShift + 7)
        throw std::invalid_argument("a plane has 1 to 8 sets and a shift of 3 to 10");
    for (const CorrectionSet& set : sets)
        if (set.size() != sets[0].size() || set.size() < 2 || set.size() > kMaxWidth)
            throw std::invalid_argument("sets have the same number of weights, 2 to 255");
    return {shift, sets};
}

/// What each of sixteen lanes adds to `lin`. taps int8 [taps][16], classes 16 numbers of sets.
std::vector<int32_t> apply(const std::vector<CorrectionSet>& sets, int shift, const std::vector<int8_t>& classes,
                           const Array<int8_t>& taps, const std::string& kernels) {
    const PlaneCorrection plane = correction_from(sets, shift);
    const auto count = static_cast<py::ssize_t>(sets[0].size()) - 1;
    if (classes.size() != kLanes || taps.ndim() != 2 || taps.shape(0) != count || taps.shape(1) != kLanes)
        throw std::invalid_argument("sixteen classes and taps for sixteen lanes are needed");
    for (const int8_t c : classes)
        if (c < 0 || c >= static_cast<int>(sets.size())) throw std::invalid_argument("there is no such set");
    BatchValues batch{};
    std::vector<int32_t> defined(kLanes);
    for (int lane = 0; lane < kLanes; ++lane) {
        std::vector<int8_t> own(static_cast<size_t>(count));
        for (py::ssize_t i = 0; i < count; ++i) batch.taps[i / 4][lane][i % 4] = own[i] = *taps.data(i, lane);
        defined[lane] = define_correction(sets[classes[lane]], shift, own.data());
    }
    if (kernels == "definition") return defined;
    choose_kernels(kernels).correct(PackedCorrection(plane), classes.data(), batch);
    return {batch.linear, batch.linear + kLanes};
}

Array<int32_t> products(const Array<int16_t>& rows, const std::string& kernels) {
    if (rows.ndim() != 2 || rows.shape(1) != kProductSamples)
        throw std::invalid_argument("rows have " + std::to_string(kProductSamples) + " values");
    const py::ssize_t count = rows.shape(0);
    Array<int32_t> out(count * (count + 1) / 2);
    choose_kernels(kernels).products(rows.data(), static_cast<int>(count), out.mutable_data());
    return out;
}

std::vector<PlaneCorrection> planes_from(const std::vector<std::pair<int, std::vector<CorrectionSet>>>& planes) {
    std::vector<PlaneCorrection> out;
    for (const auto& [shift, sets] : planes) out.push_back({shift, sets});
    return out;
}

py::bytes write(const std::vector<int>& inputs, const std::vector<std::pair<int, std::vector<CorrectionSet>>>& previous,
                const std::vector<std::pair<int, std::vector<CorrectionSet>>>& planes) {
    return from_bytes(write_corrections(inputs, planes_from(previous), planes_from(planes)));
}

std::vector<std::pair<int, std::vector<CorrectionSet>>> read(
    const std::vector<int>& inputs, const std::vector<std::pair<int, std::vector<CorrectionSet>>>& previous,
    const py::buffer& data) {
    const Bytes bytes = to_bytes(data);
    std::vector<std::pair<int, std::vector<CorrectionSet>>> out;
    for (const PlaneCorrection& plane : read_corrections(inputs, planes_from(previous), bytes))
        out.emplace_back(plane.shift, plane.sets);
    return out;
}

}  // namespace

void bind_fitting(py::module_& module) {
    using namespace py::literals;
    module.def("apply_correction", &apply, "sets"_a, "shift"_a, "classes"_a, "taps"_a, py::kw_only(), "kernels"_a = "");
    module.def("products", &products, "rows"_a.noconvert(), py::kw_only(), "kernels"_a = "");
    module.def("write_corrections", &write, "inputs"_a, "previous"_a, "planes"_a);
    module.def("read_corrections", &read, "inputs"_a, "previous"_a, "data"_a);
    module.def(
        "solve",
        [](int size, std::vector<double> matrix, std::vector<double> right) {
            SymmetricSystem system(size);
            if (matrix.size() != system.matrix.size() || right.size() != system.right.size())
                throw std::invalid_argument("a lower triangle and a right side of its size are needed");
            system.matrix = std::move(matrix);
            system.right = std::move(right);
            return system.solution();
        },
        "size"_a, "matrix"_a, "right"_a);
}

}  // namespace nlvc
