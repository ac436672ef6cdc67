// Code lengths of examples and their gradients (csrc/learning).
#include <pybind11/stl.h>

#include "arrays.h"
#include "learning/learner.h"

namespace nlvc {
namespace {

double learn_examples(const LearnerShape& shape, const Array<float>& values, const Array<int8_t>& inputs,
                      const Array<int8_t>& errors, const Array<float>& anchors, const Array<float>& samples, int depth,
                      int q, std::optional<Array<float>> gradient, int threads, const std::string& learner) {
    const py::ssize_t count = samples.size();
    expect(values.size() == static_cast<py::ssize_t>(shape.size()), "values do not fit the shape");
    expect(inputs.ndim() == 2 && inputs.shape(0) == count && inputs.shape(1) == shape.inputs,
           "inputs must be [N, inputs]");
    expect(errors.ndim() == 2 && errors.shape(0) == count && errors.shape(1) == shape.errors,
           "errors must be [N, errors]");
    expect(anchors.size() == count, "anchors must be [N]");
    expect(depth >= 8 && depth <= 16 && q >= 0 && q <= depth - 8, "depth must be 8..16, q 0..depth - 8");
    expect(!gradient || gradient->size() == values.size(), "the gradient must have as many numbers as the values");
    expect(threads >= 1, "threads must be 1 or more");
    const Learner& chosen = choose_learner(learner);
    const LearnerBatch batch{
        inputs.data(), errors.data(), anchors.data(), samples.data(), static_cast<size_t>(count), depth, q};
    const float* from = values.data();
    float* to = gradient ? gradient->mutable_data() : nullptr;
    const py::gil_scoped_release release;
    return learn(chosen, shape, from, batch, to, threads);
}

}  // namespace

void bind_learning(py::module_& module) {
    using namespace py::literals;
    py::class_<LearnerShape>(module, "LearnerShape")
        .def(py::init([](int inputs, int errors, int h1, int h2, int g) {
                 for (int width : {inputs, h1, h2, g}) expect(width >= 1 && width <= 255, "widths are 1..255");
                 expect(errors >= 0 && errors <= 255, "there are 0..255 errors");
                 return LearnerShape{inputs, errors, h1, h2, g};
             }),
             py::kw_only(), "inputs"_a, "errors"_a, "h1"_a, "h2"_a, "g"_a)
        .def("layer_start", &LearnerShape::layer_start, "layer"_a)
        .def_property_readonly("linear_start", &LearnerShape::linear_start)
        .def_property_readonly("size", &LearnerShape::size);
    module.def(
        "available_learners",
        [] {
            std::vector<std::string> names;
            for (const Learner* learner : available_learners()) names.emplace_back(learner->name);
            return names;
        },
        "Names, slowest first.");
    module.def("learn", &learn_examples, "shape"_a, "values"_a, "inputs"_a, "errors"_a, "anchors"_a, "samples"_a,
               py::kw_only(), "depth"_a, "q"_a, "gradient"_a.noconvert() = py::none(), "threads"_a = 1,
               "learner"_a = "");
}

}  // namespace nlvc
