// Single steps of the codec for tests, training and benchmarks.
#include <pybind11/stl.h>

#include "arrays.h"
#include "format.h"
#include "mixture.h"
#include "motion.h"
#include "motion_search.h"
#include "range_coder.h"

namespace nlvc {
namespace {

py::bytes range_encode(const Array<uint32_t>& lows, const Array<uint32_t>& highs) {
    if (lows.size() != highs.size()) throw std::invalid_argument("lows and highs differ in size");
    RangeEncoder coder;
    for (py::ssize_t i = 0; i < lows.size(); ++i) {
        const uint32_t low = lows.data()[i], high = highs.data()[i];
        if (low >= high || high > kProbabilityOne) throw std::invalid_argument("not 0 <= low < high <= 2^24");
        coder.encode(low, high);
    }
    return from_bytes(coder.finish());
}

Array<int32_t> range_decode(const py::buffer& data, const Array<uint32_t>& tables) {
    if (tables.ndim() != 2 || tables.shape(1) < 2)
        throw std::invalid_argument("expected cdf tables [symbols, bounds >= 2]");
    const Bytes bytes = to_bytes(data);
    RangeDecoder coder(bytes);
    Array<int32_t> out(tables.shape(0));
    for (py::ssize_t i = 0; i < tables.shape(0); ++i) {
        const uint32_t* cdf = tables.data(i, 0);
        const py::ssize_t last = tables.shape(1) - 1;
        if (cdf[0] != 0 || cdf[last] != kProbabilityOne || !std::is_sorted(cdf, cdf + last + 1))
            throw std::invalid_argument("a cdf table must rise from 0 to 2^24");
        const uint32_t* above = std::partition_point(cdf + 1, cdf + last, [&](uint32_t b) { return coder.reached(b); });
        coder.consume(above[-1], above[0]);
        out.mutable_data()[i] = static_cast<int32_t>(above - cdf - 1);
    }
    return out;
}

Array<uint32_t> mixture_bounds(const Array<int32_t>& outputs, const Array<int32_t>& mean, const Array<int32_t>& values,
                               int depth, int q) {
    const py::ssize_t count = mean.size();
    if (outputs.ndim() != 2 || outputs.shape(0) != count || outputs.shape(1) != kOutputs || values.ndim() != 2 ||
        values.shape(0) != count || depth < 8 || depth > 16 || q < 0 || q > depth - 8)
        throw std::invalid_argument(
            "expected outputs [n, 9], mean [n], values [n, m], depth 8 to 16, q 0 to depth - 8");
    Array<uint32_t> out({count, values.shape(1)});
    int32_t lanes[kOutputs][kLanes] = {}, means[kLanes] = {};
    MixtureBatch mixture;
    for (py::ssize_t i = 0; i < count; ++i) {
        for (int j = 0; j < kOutputs; ++j) lanes[j][0] = *outputs.data(i, j);
        means[0] = mean.data()[i];
        make_mixture(lanes, means, q, mixture);
        const Distribution distribution(mixture, 0, depth, q);
        for (py::ssize_t j = 0; j < values.shape(1); ++j)
            *out.mutable_data(i, j) = distribution.bound(*values.data(i, j));
    }
    return out;
}

PlaneGeometry geometry_of(std::pair<int, int> luma_shape, int sx, int sy, py::ssize_t rows, py::ssize_t columns) {
    const PlaneGeometry g{luma_shape.second, luma_shape.first, sx, sy};
    if (sx < 0 || sx > 2 || sy < 0 || sy > 2 || columns != (g.width + (1 << sx) - 1) >> sx ||
        rows != (g.height + (1 << sy) - 1) >> sy)
        throw std::invalid_argument("the plane does not have the size that the subsampling gives");
    return g;
}

void check_field(const MotionField& field, int width, int height) {
    if (field.columns != (width + field.block - 1) / field.block ||
        field.rows != (height + field.block - 1) / field.block)
        throw std::invalid_argument("the field does not have one vector for each block");
}

Array<uint16_t> subsample(const Array<uint16_t>& reference, const Array<int16_t>& field, int block, int depth,
                          std::pair<int, int> luma_shape, int sx, int sy) {
    const Plane plane = grid_from_array(reference);
    const PlaneGeometry g = geometry_of(luma_shape, sx, sy, plane.height, plane.width);
    const MotionField motion = field_from_array(field, block);
    check_field(motion, g.width, g.height);
    Plane out(plane.width, plane.height);
    compensate_subsample(plane, motion, g, depth, 0, plane.height, out);
    return array_from_grid(out);
}

template <class T>
Array<T> integer(const Array<T>& reference, const Array<int16_t>& field, int block, std::pair<int, int> luma_shape,
                 int sx, int sy) {
    const Grid<T> plane = grid_from_array(reference);
    const PlaneGeometry g = geometry_of(luma_shape, sx, sy, plane.height, plane.width);
    const MotionField motion = field_from_array(field, block);
    check_field(motion, g.width, g.height);
    Grid<T> out(plane.width, plane.height);
    compensate_integer(plane, motion, g, 0, plane.height, out);
    return array_from_grid(out);
}

Array<int16_t> search(const Array<uint16_t>& current, const Array<uint16_t>& reference, const Array<int16_t>& past,
                      int depth, int slices) {
    const Plane cur = grid_from_array(current), ref = grid_from_array(reference);
    const MotionField previous = field_from_array(past, kBlock);
    PictureFormat format;
    format.width = cur.width;
    format.height = cur.height;
    format.layout = Layout::kGrey;
    if (!format.problem().empty() || ref.width != cur.width || ref.height != cur.height)
        throw std::invalid_argument("current and reference must be planes of the same size");
    if (!previous.vectors.empty()) check_field(previous, cur.width, cur.height);
    if (slices < 1 || slices > format.slice_units()) throw std::invalid_argument("slices must be 1 to rows / 16");
    MotionField out(cur.width, cur.height, kBlock);
    for (int i = 0; i < slices; ++i) {
        const RowRange rows = format.slice_rows(0, i, slices);
        search_motion(cur, ref, previous, depth, rows.top, rows.bottom, out);
    }
    return array_from_field(out);
}

Array<int16_t> older(const Array<uint16_t>& prediction, const Array<uint16_t>& reference, int depth,
                     const Array<int16_t>& current, const Array<int16_t>& newer, int newer_block,
                     const Array<int16_t>& passed) {
    const Plane p = grid_from_array(prediction), r = grid_from_array(reference);
    const MotionField c = field_from_array(current, kBlock), n = field_from_array(newer, newer_block),
                      m = field_from_array(passed, kBlock);
    if (r.width != p.width || r.height != p.height) throw std::invalid_argument("planes differ in size");
    check_field(c, p.width, p.height);
    check_field(n, p.width, p.height);
    if (!m.vectors.empty()) check_field(m, p.width, p.height);
    return array_from_field(locate_older(p, r, depth, c, n, m));
}

}  // namespace

void bind_probes(py::module_& module) {
    using namespace py::literals;
    module.def("range_encode", &range_encode, "lows"_a.noconvert(), "highs"_a.noconvert());
    module.def("range_decode", &range_decode, "data"_a, "tables"_a.noconvert());
    module.def("mixture_bounds", &mixture_bounds, "outputs"_a.noconvert(), "mean"_a.noconvert(), "values"_a.noconvert(),
               py::kw_only(), "depth"_a, "q"_a);
    module.def("search_motion", &search, "current"_a.noconvert(), "reference"_a.noconvert(), "past"_a.noconvert(),
               py::kw_only(), "depth"_a, "slices"_a = 1);
    module.def(
        "to_integer",
        [](const Array<int16_t>& field) { return array_from_field(to_integer(field_from_array(field, kBlock))); },
        "field"_a.noconvert());
    module.def("compensate_subsample", &subsample, "reference"_a.noconvert(), "field"_a.noconvert(), py::kw_only(),
               "block"_a, "depth"_a, "luma_shape"_a, "sx"_a = 0, "sy"_a = 0);
    module.def("compensate_integer", &integer<uint16_t>, "reference"_a.noconvert(), "field"_a.noconvert(),
               py::kw_only(), "block"_a, "luma_shape"_a, "sx"_a = 0, "sy"_a = 0);
    module.def("compensate_integer", &integer<int8_t>, "reference"_a.noconvert(), "field"_a.noconvert(), py::kw_only(),
               "block"_a, "luma_shape"_a, "sx"_a = 0, "sy"_a = 0);
    module.def("locate_older", &older, "prediction"_a.noconvert(), "reference"_a.noconvert(), py::kw_only(), "depth"_a,
               "current"_a.noconvert(), "newer"_a.noconvert(), "newer_block"_a, "passed"_a.noconvert());
}

}  // namespace nlvc
