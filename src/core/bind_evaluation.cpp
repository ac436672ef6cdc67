// The network over one plane of one slice with everything that it saw, for comparison with other implementations.
#include <pybind11/stl.h>

#include <map>

#include "arrays.h"
#include "network.h"
#include "slice_coding.h"
#include "wavefront.h"

namespace nlvc {
namespace {

using SamplePlanes = std::map<int, Array<uint16_t>>;
using ErrorPlanes = std::map<int, Array<int8_t>>;

/// What is recorded for each sample: arrays [count, rows of the slice, columns].
struct Recording {
    Array<int8_t> taps, errors;
    Array<int32_t> anchor, mean, outputs;
    Array<uint8_t> hidden;
    Array<int8_t> error;

    Recording(const Network& n, int rows, int columns)
        : taps(shape(n.inputs.size(), rows, columns)),
          errors(shape(n.errors.size(), rows, columns)),
          anchor({rows, columns}),
          mean({rows, columns}),
          outputs(shape(kOutputs, rows, columns)),
          hidden(shape(n.layer2.outputs, rows, columns)),
          error({rows, columns}) {
        std::fill_n(taps.mutable_data(), taps.size(), int8_t{0});
        std::fill_n(errors.mutable_data(), errors.size(), int8_t{0});
    }
    static std::vector<py::ssize_t> shape(size_t count, int rows, int columns) {
        return {static_cast<py::ssize_t>(count), rows, columns};
    }
    py::dict dictionary() const {
        using namespace py::literals;
        return py::dict("taps"_a = taps, "error_taps"_a = errors, "anchor"_a = anchor, "mean"_a = mean,
                        "hidden"_a = hidden, "outputs"_a = outputs, "error"_a = error);
    }
};

/// Indices of the taps that δ reveals.
std::vector<int> kept(const std::vector<Tap>& taps, int delta) {
    std::vector<int> out;
    for (size_t i = 0; i < taps.size(); ++i)
        if (taps[i].revealed(delta)) out.push_back(static_cast<int>(i));
    return out;
}

class RecordingVisitor final : public BatchVisitor {
  public:
    RecordingVisitor(const Network& network, const CodingSettings& settings, Recording& recording)
        : settings_(settings),
          inputs_(kept(network.inputs, settings.delta)),
          errors_(kept(network.errors, settings.delta)),
          hidden_(network.layer2.outputs),
          recording_(recording) {}

    void visit(const BatchPosition& at, const BatchValues& values, uint16_t*) override {
        for (int lane = 0; lane < at.count; ++lane) {
            const int x = at.x(lane, settings_.delta), y = at.y + lane;
            for (size_t i = 0; i < inputs_.size(); ++i)
                *recording_.taps.mutable_data(inputs_[i], y, x) = values.taps[i / 4][lane][i % 4];
            for (size_t i = 0; i < errors_.size(); ++i)
                *recording_.errors.mutable_data(errors_[i], y, x) = values.errors[i / 4][lane][i % 4];
            for (int j = 0; j < hidden_; ++j)
                *recording_.hidden.mutable_data(j, y, x) = values.hidden[j / 4][lane][j % 4];
            for (int j = 0; j < kOutputs; ++j) *recording_.outputs.mutable_data(j, y, x) = values.outputs[j][lane];
            *recording_.anchor.mutable_data(y, x) = values.anchors[0][lane];
            *recording_.mean.mutable_data(y, x) = values.mean[lane];
        }
    }

  private:
    CodingSettings settings_;
    std::vector<int> inputs_, errors_;
    int hidden_;
    Recording& recording_;
};

void run_kernels(const Network& network, const SliceDefinition& definition, const Kernels& kernels,
                 Recording& recording) {
    const RowRange slice = definition.slice, plane{0, definition.samples[kCur]->height};
    CompiledNetwork compiled = compile(network, definition.settings.delta);
    kernels.pack(compiled);
    PlaneContext context;
    context.reset(definition.settings, definition.samples[kCur]->width, slice.count());
    for (int id = 0; id < kPlaneIds; ++id) {
        const RowRange rows = id >= kGuide1Cur ? slice : plane;
        if (definition.samples[id]) context.set(static_cast<PlaneId>(id), *definition.samples[id], slice.top, rows);
        if (definition.errors[id] && id != kErr)
            context.set(static_cast<PlaneId>(id), *definition.errors[id], slice.top, rows);
    }
    RecordingVisitor visitor(network, definition.settings, recording);
    run_plane(context, {kernels, compiled}, visitor);
    ErrorPlane errors(context.layout.width(), slice.count());
    unskew(context.layout, context.errors[kErr], 0, errors);
    std::copy(errors.values.begin(), errors.values.end(), recording.error.mutable_data());
}

void run_definition(const Network& network, SliceDefinition definition, Recording& recording) {
    const Plane& cur = *definition.samples[kCur];
    ErrorPlane errors(cur.width, cur.height);
    definition.errors[kErr] = &errors;
    const CodingSettings& settings = definition.settings;
    const RowRange slice = definition.slice;
    for (int g = 0; g < cur.width + settings.delta * (slice.count() - 1); ++g)
        for (int y = slice.top; y < slice.bottom; ++y) {
            const int row = y - slice.top, x = g - settings.delta * row;
            if (x < 0 || x >= cur.width) continue;
            int8_t inputs[kMaxWidth], second[kMaxWidth];
            for (size_t i = 0; i < network.inputs.size(); ++i)
                *recording.taps.mutable_data(i, row, x) = inputs[i] = definition.tap(network.inputs[i], x, y);
            for (size_t i = 0; i < network.errors.size(); ++i)
                *recording.errors.mutable_data(i, row, x) = second[i] = definition.tap(network.errors[i], x, y);
            const int32_t anchor = definition.anchor(0, x, y);
            const SampleValues values = define_mean(network, settings, inputs, anchor);
            const auto outputs = define_outputs(network, settings.delta, values, second);
            for (int j = 0; j < network.layer2.outputs; ++j) *recording.hidden.mutable_data(j, row, x) = values.h2[j];
            for (int j = 0; j < kOutputs; ++j) *recording.outputs.mutable_data(j, row, x) = outputs[j];
            *recording.anchor.mutable_data(row, x) = anchor;
            *recording.mean.mutable_data(row, x) = values.mean;
            errors.at(x, y) = define_error(cur.at(x, y), values.mean, settings.q);
            *recording.error.mutable_data(row, x) = errors.at(x, y);
        }
}

void check_planes(const SliceDefinition& d, const CompiledNetwork& network) {
    const Plane* cur = d.samples[kCur];
    if (cur == nullptr || cur->width < 1 || cur->height < 1) throw std::invalid_argument("plane 0 (cur) is missing");
    const auto needed = needed_planes(network, d.settings.intra);
    for (int id = 0; id < kPlaneIds; ++id) {
        const bool is_error = anchor_of(static_cast<uint8_t>(id)) < 0;
        if (needed[id] && (is_error ? d.errors[id] == nullptr : d.samples[id] == nullptr))
            throw std::invalid_argument("context plane " + std::to_string(id) + " is missing");
        if (d.samples[id] != nullptr &&
            *std::max_element(d.samples[id]->values.begin(), d.samples[id]->values.end()) >> d.settings.depth != 0)
            throw std::invalid_argument("context plane " + std::to_string(id) + " has samples beyond the depth");
        auto same_size = [&](const auto* plane) {
            return plane == nullptr || (plane->width == cur->width && plane->height == cur->height);
        };
        if (!same_size(d.samples[id]) || !same_size(d.errors[id]))
            throw std::invalid_argument("context plane " + std::to_string(id) + " differs in size from plane 0");
    }
    if (d.slice.top < 0 || d.slice.bottom <= d.slice.top || d.slice.bottom > cur->height)
        throw std::invalid_argument("rows are not a part of the plane");
}

py::dict evaluate_plane(const py::buffer& model, const SamplePlanes& samples, const ErrorPlanes& errors, int frame_type,
                        int plane_class, int delta, int depth, int q, std::pair<int, int> rows,
                        const std::string& kernels) {
    if (frame_type < 0 || frame_type > 1 || plane_class < 0 || plane_class >= kPlaneClasses || delta < 0 ||
        delta >= kDeltas || depth < 8 || depth > 16 || q < 0 || q > depth - 8)
        throw std::invalid_argument("frame type, plane class, delta, depth or q is out of range");
    const Model parsed = parse_model(to_bytes(model));
    const auto& network = parsed.networks[frame_type][plane_class];
    if (!network) throw std::invalid_argument("the model has no such network");
    std::array<Plane, kPlaneIds> sample_grids;
    std::array<ErrorPlane, kPlaneIds> error_grids;
    SliceDefinition d{{depth, q, delta, frame_type == 0}, {rows.first, rows.second}, {}, {}};
    auto take = [](const auto& arrays, auto& grids, auto& pointers) {
        for (const auto& [id, array] : arrays) {
            if (id < 0 || id >= kPlaneIds) throw std::invalid_argument("context plane ids are 0 to 14");
            grids[id] = grid_from_array(array);
            pointers[id] = &grids[id];
        }
    };
    take(samples, sample_grids, d.samples);
    take(errors, error_grids, d.errors);
    check_planes(d, compile(*network, delta));
    Recording recording(*network, d.slice.count(), d.samples[kCur]->width);
    if (kernels == "definition")
        run_definition(*network, d, recording);
    else
        run_kernels(*network, d, choose_kernels(kernels), recording);
    return recording.dictionary();
}

}  // namespace

void bind_evaluation(py::module_& module) {
    using namespace py::literals;
    module.def("evaluate_plane", &evaluate_plane, "model"_a, "samples"_a, "errors"_a, py::kw_only(), "frame_type"_a,
               "plane_class"_a, "delta"_a, "depth"_a, "q"_a, "rows"_a, "kernels"_a = "");
    module.def("kernel_names", [] {
        std::vector<std::string> names;
        for (const Kernels* table : available_kernels()) names.emplace_back(table->name);
        return names;
    });
}

}  // namespace nlvc
