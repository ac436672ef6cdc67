// Models that differ from another one in some weights, as bytes (docs/bitstream.md section 10.1): how a stream brings a
// model that was fitted to it.
#pragma once
#include <functional>
#include <optional>

#include "bytes.h"
#include "sha256.h"

namespace nlvc {

/// Whether a model file is a difference to another one.
bool is_model_difference(ByteView file);

/// The SHA-256 of the model file that a difference starts from.
Hash difference_base(ByteView difference);

/// The model file that a difference to `base` means; a BitstreamError says what is wrong with either.
Bytes apply_model_difference(ByteView difference, ByteView base);

/// A model file as it is, or what it means where it is a difference to one that `find` knows; nullopt if it does not.
std::optional<Bytes> whole_model(Bytes file, const std::function<std::optional<Bytes>(const Hash&)>& find);

/// What apply_model_difference turns into `fitted` again. std::invalid_argument where a difference cannot say that:
/// other taps, widths or shifts, other weights of a slope than `delta`, or changes that are no multiples of their
/// units.
Bytes write_model_difference(ByteView base, ByteView fitted, int delta);

}  // namespace nlvc
