// Model files; what is accepted must be fit to compute with.
#include "slice_coding.h"

using namespace nlvc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    try {
        const Model model = parse_model({data, size});
        const CompiledModel compiled(model, size % kDeltas, choose_kernels(""));
        PictureFormat format;
        format.width = format.height = 16;
        compiled.missing(format, true);
    } catch (const BitstreamError&) {
    }
    return 0;
}
