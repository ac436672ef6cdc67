// Model files: those that the library carries within itself, and those in folders.
#pragma once
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bytes.h"
#include "sha256.h"

namespace nlvc {

/// A model that is unknown or unreadable; the message says which, and what there is.
class ModelError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

struct CarriedModel {
    const char* name;
    const uint8_t* begin;
    const uint8_t* end;
    ByteView bytes() const { return {begin, static_cast<size_t>(end - begin)}; }
};
/// The models within the library; the list is written when the library is built (ffmpeg_filter/embed_models.sh).
extern const CarriedModel kCarriedModels[];
extern const int kCarriedModelCount;

/// Where models are looked for: first in a path of folders and files, "a:b:c", then in the environment's
/// NLVC_MODEL_PATH, then in the library itself.
class ModelSearch {
  public:
    explicit ModelSearch(const std::string& path);
    /// A name, or the path of a file that ends in .nlvm. ModelError when there is none.
    Bytes by_name(const std::string& name) const;
    std::optional<Bytes> by_hash(const Hash& hash) const;

  private:
    std::vector<std::string> files() const;

    std::vector<std::string> places_;
};

}  // namespace nlvc
