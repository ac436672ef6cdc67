#include "c_api/models.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace nlvc {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".nlvm";
constexpr uintmax_t kMostBytes = uintmax_t{64} << 20;  // nothing near this size is a model

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Bytes read_file(const std::string& path) {
    std::error_code error;
    const uintmax_t size = fs::file_size(path, error);
    if (error) throw ModelError("cannot read model " + path + ": " + error.message());
    if (size > kMostBytes) throw ModelError(path + " is too large for a model file");
    std::ifstream file(path, std::ios::binary);
    Bytes bytes(size);
    if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size)))
        throw ModelError("cannot read model " + path);
    return bytes;
}

void append_places(const std::string& path, std::vector<std::string>& places) {
    for (size_t begin = 0; begin <= path.size();) {
        const size_t end = std::min(path.find(':', begin), path.size());
        if (end > begin) places.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
}

}  // namespace

ModelSearch::ModelSearch(const std::string& path) {
    append_places(path, places_);
    if (const char* environment = std::getenv("NLVC_MODEL_PATH")) append_places(environment, places_);
}

std::vector<std::string> ModelSearch::files() const {
    std::vector<std::string> found;
    for (const std::string& place : places_) {
        std::error_code error;
        if (!fs::is_directory(place, error)) {
            found.push_back(place);
            continue;
        }
        std::vector<std::string> inside;
        for (const auto& entry : fs::directory_iterator(place, error))
            if (ends_with(entry.path().filename().string(), kSuffix)) inside.push_back(entry.path().string());
        if (error) throw ModelError("cannot read the folder of models " + place + ": " + error.message());
        std::sort(inside.begin(), inside.end());
        found.insert(found.end(), inside.begin(), inside.end());
    }
    return found;
}

Bytes ModelSearch::by_name(const std::string& name) const {
    if (ends_with(name, kSuffix)) return read_file(name);
    for (const std::string& file : files())
        if (fs::path(file).filename() == name + kSuffix) return read_file(file);
    std::string known;
    for (int i = 0; i < kCarriedModelCount; ++i) {
        const CarriedModel& model = kCarriedModels[i];
        if (name == model.name) return model.bytes().copy();
        known += (known.empty() ? "" : ", ") + std::string(model.name);
    }
    throw ModelError("there is no model named '" + name + "' (known: " + (known.empty() ? "none" : known) +
                     "; a path must end in " + kSuffix + ")");
}

std::optional<Bytes> ModelSearch::by_hash(const Hash& hash) const {
    for (const std::string& file : files()) {
        Bytes bytes = read_file(file);
        if (sha256(bytes) == hash) return bytes;
    }
    for (int i = 0; i < kCarriedModelCount; ++i) {
        const ByteView bytes = kCarriedModels[i].bytes();
        if (sha256(bytes) == hash) return bytes.copy();
    }
    return std::nullopt;
}

}  // namespace nlvc
