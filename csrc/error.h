// What can go wrong with input. Wrong use of the library itself is std::invalid_argument.
#pragma once
#include <stdexcept>
#include <string>

namespace nlvc {

/// Bytes that break docs/bitstream.md; the message says what and where.
class BitstreamError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A stream that needs a model which is neither embedded nor known; the message names its hash.
class MissingModelError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace nlvc
