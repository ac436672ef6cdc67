// Implementations of the same thing, chosen by name.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

namespace nlvc {

/// The one with this name, or the last for an empty name; std::invalid_argument names those there are. `none`: how the
/// message begins, "there is no ... named".
template <class T>
const T& choose_named(const std::vector<const T*>& all, const std::string& name, const char* none) {
    if (name.empty()) return *all.back();
    std::string names;
    for (const T* one : all) {
        if (name == one->name) return *one;
        names += (names.empty() ? "" : ", ") + std::string(one->name);
    }
    throw std::invalid_argument(none + (" '" + name) + "' for this processor, only " + names);
}

}  // namespace nlvc
