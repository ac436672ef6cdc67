// The container's extradata.
#include <cstdlib>

#include "packet.h"

using namespace nlvc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    try {
        const Sequence sequence = read_sequence_header({data, size});
        if (!sequence.format.problem().empty()) std::abort();
        const Bytes again = write_sequence(sequence);
        if (write_sequence(read_sequence_header(again)) != again) std::abort();
    } catch (const BitstreamError&) {
    }
    return 0;
}
