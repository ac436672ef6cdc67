#include "side_information.h"

namespace nlvc {

SideInformation read_side_information(Reader& in, const std::set<int>& known) {
    SideInformation side;
    int previous = -1;
    while (in.remaining() > 0) {
        const int type = in.u8_in(previous + 1, 255, "type of side information");
        if (type >= kMandatory && known.count(type) == 0)
            in.fail("side information", "has a type that changes the samples and that this library does not know");
        side[type] = in.take(in.varint_in(0, INT64_MAX, "size of side information"), "side information").copy();
        previous = type;
    }
    return side;
}

Bytes write_side_information(const SideInformation& side) {
    Writer out;
    for (const auto& [type, bytes] : side) {
        out.u8(type);
        out.varint(bytes.size());
        out.append(bytes);
    }
    return std::move(out.bytes);
}

void change(SideInformation& state, const SideInformation& changes) {
    for (const auto& [type, bytes] : changes) {
        if (bytes.empty())
            state.erase(type);
        else
            state[type] = bytes;
    }
}

SideInformation difference(const SideInformation& state, const SideInformation& wanted) {
    SideInformation changes;
    for (const auto& [type, bytes] : state)
        if (wanted.count(type) == 0) changes[type] = {};
    for (const auto& [type, bytes] : wanted) {
        const auto found = state.find(type);
        if (found == state.end() || found->second != bytes) changes[type] = bytes;
    }
    return changes;
}

}  // namespace nlvc
