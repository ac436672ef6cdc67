// The Python module pynlvc._core; pynlvc/_core.pyi documents it.
#include "arrays.h"
#include "error.h"

PYBIND11_MODULE(_core, module) {
    using namespace nlvc;
    module.doc() = "The NLVC codec: docs/bitstream.md in integers.";
    py::register_exception<BitstreamError>(module, "BitstreamError", PyExc_ValueError);
    py::register_exception<MissingModelError>(module, "MissingModelError", PyExc_LookupError);
    bind_packets(module);
    bind_codec(module);
    bind_probes(module);
    bind_evaluation(module);
    bind_fitting(module);
    bind_models(module);
    bind_learning(module);
    bind_external(module);
    bind_transformer(module);
}
