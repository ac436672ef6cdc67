// Single steps of the codec for tests, training and benchmarks.
#include <pybind11/stl.h>

#include <cstdlib>
#include <optional>

#include "arrays.h"
#include "decisions.h"
#include "format.h"
#include "kernels/kernels.h"
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
        // The last symbol takes the remainder of the range, so 2^24 is never reached.
        const uint32_t* above = std::partition_point(
            cdf + 1, cdf + last, [&](uint32_t b) { return b != kProbabilityOne && coder.unit() * b <= coder.code(); });
        coder.consume(above[-1], above[0]);
        out.mutable_data()[i] = static_cast<int32_t>(above - cdf - 1);
    }
    return out;
}

/// The bounds of section 6 by their definition, or by what a table of kernels makes of the mixture.
Array<uint32_t> mixture_bounds(const Array<int32_t>& outputs, const Array<int32_t>& mean, const Array<int32_t>& values,
                               int depth, int q) {
    const py::ssize_t count = mean.size();
    if (outputs.ndim() != 2 || outputs.shape(0) != count || outputs.shape(1) != kOutputs || values.ndim() != 2 ||
        values.shape(0) != count || depth < 8 || depth > 16 || q < 0 || q > depth - 8)
        throw std::invalid_argument(
            "expected outputs [n, 9], mean [n], values [n, m], depth 8 to 16, q 0 to depth - 8");
    constexpr int32_t kLargestOutput = (1 << 30) - 1;
    for (py::ssize_t i = 0; i < outputs.size(); ++i)
        if (std::abs(outputs.data()[i]) > kLargestOutput) throw std::invalid_argument("outputs are less than 2^30");
    for (py::ssize_t i = 0; i < count; ++i)
        if (mean.data()[i] < 0 || mean.data()[i] > ((1 << depth) - 1) * 32)
            throw std::invalid_argument("a mean is not in [0, 32 * maximum]");
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

/// Distributions of samples in batches of sixteen, as a network leaves them.
struct Batches {
    const Kernels& kernels;
    Array<int32_t> outputs;  ///< [batches, 9, 16]
    Array<int32_t> mean;     ///< [batches, 16]
    int depth, q;

    Batches(const Array<int32_t>& o, const Array<int32_t>& m, py::ssize_t count, int d, int shift,
            const std::string& name)
        : kernels(choose_kernels(name)), outputs(o), mean(m), depth(d), q(shift) {
        const py::ssize_t batches = (count + kLanes - 1) / kLanes;
        if (o.ndim() != 3 || o.shape(0) != batches || o.shape(1) != kOutputs || o.shape(2) != kLanes || m.ndim() != 2 ||
            m.shape(0) != batches || m.shape(1) != kLanes || d < 8 || d > 16 || shift < 0 || shift > d - 8)
            throw std::invalid_argument(
                "expected outputs [n / 16, 9, 16], mean [n / 16, 16], depth 8 to 16, q 0 to depth - 8");
        // Loops that a compiler turns into vector instructions: this is timed together with the coding.
        const int32_t *all = o.data(), *means = m.data(), most = ((1 << d) - 1) * 32;
        const py::ssize_t numbers = o.size(), count_of_means = m.size();
        int32_t bad = 0;
        for (py::ssize_t i = 0; i < numbers; ++i)
            bad |= all[i] ^ static_cast<int32_t>(static_cast<uint32_t>(all[i]) << 1);
        if (bad < 0) throw std::invalid_argument("outputs are less than 2^30");
        for (py::ssize_t i = 0; i < count_of_means; ++i) bad |= means[i] | (most - means[i]);
        if (bad < 0) throw std::invalid_argument("a mean is not in [0, 32 * maximum]");
    }
    /// Calls visit(first sample, outputs, means) for each batch.
    template <class Visit>
    void for_each(Visit visit) const {
        for (py::ssize_t i = 0; i < mean.shape(0); ++i)
            visit(i * kLanes, reinterpret_cast<const int32_t(*)[kLanes]>(outputs.data(i, 0, 0)), mean.data(i, 0));
    }
};

py::bytes encode_samples(const Array<int32_t>& outputs, const Array<int32_t>& mean, const Array<uint16_t>& samples,
                         int depth, int q, const std::string& kernels) {
    const Batches batches(outputs, mean, samples.size(), depth, q, kernels);
    for (py::ssize_t i = 0; i < samples.size(); ++i)
        if (samples.data()[i] >> depth != 0) throw std::invalid_argument("a sample is beyond the depth");
    Bytes coded;
    {
        const py::gil_scoped_release release;
        RangeEncoder coder;
        MixtureBatch mixture;
        batches.for_each([&](py::ssize_t first, const int32_t(*out)[kLanes], const int32_t* means) {
            batches.kernels.mixture(out, means, q, mixture);
            uint16_t batch[kLanes] = {};
            const auto count = static_cast<int>(std::min<py::ssize_t>(kLanes, samples.size() - first));
            std::copy_n(samples.data() + first, count, batch);
            uint32_t low[kLanes], high[kLanes];
            batches.kernels.bounds(mixture, batch, depth, q, low, high);
            for (int lane = 0; lane < count; ++lane) coder.encode(low[lane], high[lane]);
        });
        coded = coder.finish();
    }
    return from_bytes(coded);
}

py::tuple decode_samples(const py::buffer& data, const Array<int32_t>& outputs, const Array<int32_t>& mean,
                         py::ssize_t count, int depth, int q, const std::string& kernels) {
    if (count < 0) throw std::invalid_argument("count is negative");
    const Batches batches(outputs, mean, count, depth, q, kernels);
    const Bytes bytes = to_bytes(data);
    RangeDecoder coder(bytes);
    Array<uint16_t> samples(count);
    // As in the codec, whose batches of one group do not see each other: one is opened while the one before is decoded.
    PendingSamples pending[2];
    for (PendingSamples& one : pending) {
        one.depth = depth;
        one.q = q;
        one.coder = &coder.state();
    }
    PendingSamples *own = &pending[0], *before = &pending[1];
    uint16_t* next = samples.mutable_data();
    batches.for_each([&](py::ssize_t first, const int32_t(*out)[kLanes], const int32_t* means) {
        own->count = static_cast<int>(std::min<py::ssize_t>(kLanes, count - first));
        own->samples = next + first;
        batches.kernels.open(out, means, *own, before);
        batches.kernels.finish(*before);
        std::swap(own, before);
    });
    batches.kernels.finish(*before);
    const DecoderState& state = coder.state();
    return py::make_tuple(samples, py::make_tuple(state.position, state.range, state.code));
}

/// A reference plane, the vectors that displace it and the geometry of both.
template <class T>
struct Displacement {
    Grid<T> plane;
    MotionField field;
    PlaneGeometry geometry;

    Displacement(const Array<T>& reference, const Array<int16_t>& vectors, int block, int width, int height, int sx,
                 int sy)
        : plane(grid_from_array(reference)), field(field_from_array(vectors, block)), geometry{width, height, sx, sy} {
        if (block != kBlock && block != kOldBlock) throw std::invalid_argument("block must be 8 or 16");
        if (sx < 0 || sx > 2 || sy < 0 || sy > 2 || plane.width != (width + (1 << sx) - 1) >> sx ||
            plane.height != (height + (1 << sy) - 1) >> sy)
            throw std::invalid_argument("the plane does not have the size that the subsampling gives");
        check_field(field, width, height);
    }
    static void check_field(const MotionField& f, int width, int height) {
        if (f.columns != (width + f.block - 1) / f.block || f.rows != (height + f.block - 1) / f.block)
            throw std::invalid_argument("the field does not have one vector for each block");
        for (const Vector& v : f.vectors)
            if (std::abs(v.x) > kLargest || std::abs(v.y) > kLargest)
                throw std::invalid_argument("a vector is beyond 1023 quarter samples");
    }
    static constexpr int kLargest = 1023;
};

void check_depth(int depth) {
    if (depth < 8 || depth > 16) throw std::invalid_argument("depth must be 8 to 16");
}

Array<uint16_t> subsample(const Array<uint16_t>& reference, const Array<int16_t>& field, int block, int width,
                          int height, int sx, int sy, int depth, const std::string& kernels) {
    const Displacement<uint16_t> d(reference, field, block, width, height, sx, sy);
    check_depth(depth);
    Plane out(d.plane.width, d.plane.height);
    compensate_subsample(*choose_kernels(kernels).blocks, d.plane, d.field, d.geometry, depth, 0, out.height, out);
    return array_from_grid(out);
}

template <class T>
Array<T> integer(const Array<T>& reference, const Array<int16_t>& field, int block, int width, int height, int sx,
                 int sy) {
    const Displacement<T> d(reference, field, block, width, height, sx, sy);
    Grid<T> out(d.plane.width, d.plane.height);
    compensate_integer(d.plane, d.field, d.geometry, 0, out.height, out);
    return array_from_grid(out);
}

using OptionalField = std::optional<Array<int16_t>>;

/// The 8x8 field of a frame, empty for None.
MotionField optional_field(const OptionalField& vectors, const Plane& plane) {
    if (!vectors) return {};
    MotionField field = field_from_array(*vectors, kBlock);
    Displacement<uint16_t>::check_field(field, plane.width, plane.height);
    return field;
}

Array<int16_t> search(const Array<uint16_t>& current, const Array<uint16_t>& reference, const OptionalField& past,
                      int depth, int slices, const std::string& kernels) {
    const Plane cur = grid_from_array(current), ref = grid_from_array(reference);
    const MotionField previous = optional_field(past, cur);
    PictureFormat format;
    format.width = cur.width;
    format.height = cur.height;
    format.depth = depth;
    if (!format.problem().empty()) throw std::invalid_argument(format.problem());
    if (ref.width != cur.width || ref.height != cur.height)
        throw std::invalid_argument("current and reference must be planes of the same size");
    if (slices < 1 || slices > format.slice_units()) throw std::invalid_argument("slices must be 1 to rows / 16");
    MotionField out(cur.width, cur.height, kBlock);
    for (int i = 0; i < slices; ++i) {
        const RowRange rows = format.slice_rows(0, i, slices);
        search_motion(*choose_kernels(kernels).blocks, cur, ref, previous, depth, rows.top, rows.bottom, out);
    }
    return array_from_field(out);
}

Array<int16_t> older(const Array<uint16_t>& prediction, const Array<uint16_t>& reference, int depth,
                     const Array<int16_t>& current, const Array<int16_t>& newer, int newer_block,
                     const OptionalField& passed, const std::string& kernels) {
    check_depth(depth);
    const Plane predicted = grid_from_array(prediction);
    const Displacement<uint16_t> past(reference, newer, newer_block, predicted.width, predicted.height, 0, 0);
    const MotionField field = optional_field(current, predicted);
    MotionField found(predicted.width, predicted.height, kOldBlock);
    locate_older(*choose_kernels(kernels).blocks, predicted, past.plane, depth, field, past.field,
                 optional_field(passed, predicted), 0, found.rows, found);
    return array_from_field(found);
}

double change_of_scene(const Array<uint16_t>& current, const Array<uint16_t>& prediction, int depth) {
    check_depth(depth);
    const Plane cur = grid_from_array(current), predicted = grid_from_array(prediction);
    if (predicted.width != cur.width || predicted.height != cur.height)
        throw std::invalid_argument("current and prediction must be planes of the same size");
    ThreadPool pool(1);
    return scene_change(cur, predicted, depth, pool);
}

}  // namespace

void bind_probes(py::module_& module) {
    using namespace py::literals;
    module.def("range_encode", &range_encode, "lows"_a.noconvert(), "highs"_a.noconvert());
    module.def("range_decode", &range_decode, "data"_a, "tables"_a.noconvert());
    module.def("mixture_bounds", &mixture_bounds, "outputs"_a.noconvert(), "mean"_a.noconvert(), "values"_a.noconvert(),
               py::kw_only(), "depth"_a, "q"_a);
    module.def("encode_samples", &encode_samples, "outputs"_a.noconvert(), "mean"_a.noconvert(),
               "samples"_a.noconvert(), py::kw_only(), "depth"_a, "q"_a, "kernels"_a = "");
    module.def("decode_samples", &decode_samples, "data"_a, "outputs"_a.noconvert(), "mean"_a.noconvert(), "count"_a,
               py::kw_only(), "depth"_a, "q"_a, "kernels"_a = "");
    module.def("search_motion", &search, "current"_a.noconvert(), "reference"_a.noconvert(), "past"_a, "depth"_a,
               py::kw_only(), "slices"_a = 1, "kernels"_a = "");
    module.def(
        "to_integer",
        [](const Array<int16_t>& field) { return array_from_field(to_integer(field_from_array(field, kBlock))); },
        "field"_a.noconvert());
    module.def("compensate_subsample", &subsample, "reference"_a.noconvert(), "field"_a.noconvert(), "block"_a,
               "width"_a, "height"_a, "sx"_a, "sy"_a, "depth"_a, py::kw_only(), "kernels"_a = "");
    module.def("compensate_integer", &integer<uint16_t>, "reference"_a.noconvert(), "field"_a.noconvert(), "block"_a,
               "width"_a, "height"_a, "sx"_a, "sy"_a);
    module.def("compensate_errors", &integer<int8_t>, "errors"_a.noconvert(), "field"_a.noconvert(), "block"_a,
               "width"_a, "height"_a, "sx"_a, "sy"_a);
    module.def("locate_older", &older, "prediction"_a.noconvert(), "reference"_a.noconvert(), "depth"_a,
               "current"_a.noconvert(), "newer"_a.noconvert(), "newer_block"_a, "passed"_a, py::kw_only(),
               "kernels"_a = "");
    module.def("scene_change", &change_of_scene, "current"_a.noconvert(), "prediction"_a.noconvert(), "depth"_a);
}

}  // namespace nlvc
