// Model differences: a base after its size in two bytes, then what differs. The hash of the base is put in its place,
// so that any base will do.
#include "model.h"
#include "model_difference.h"
#include "split.h"

using namespace nlvc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::vector<Bytes> parts;
    for_each_packet({data, size}, [&](ByteView part) { parts.push_back(part.copy()); });
    if (parts.size() < 2) return 0;
    const Bytes& base = parts[0];
    Bytes& difference = parts[1];
    const Hash hash = sha256(base);
    const size_t at = difference.size() > 5 ? size_t{6} + difference[5] : difference.size();
    if (at + hash.size() <= difference.size()) std::copy(hash.begin(), hash.end(), difference.begin() + at);
    try {
        parse_model(apply_model_difference(difference, base));
    } catch (const BitstreamError&) {
    }
    return 0;
}
