// Networks that are evaluated elsewhere, on a GPU for example, many samples at a time. Whatever evaluates them gives
// the integers of docs/bitstream.md section 5.
#pragma once
#include <functional>
#include <memory>

#include "bytes.h"
#include "model.h"

namespace nlvc {

/// Batches of sixteen samples, laid out as in BatchValues: taps, errors and hidden values as bytes
/// [batch][word][16][4], numbers as [batch][16]. Several threads may call at once.
class Accelerator {
  public:
    virtual ~Accelerator() = default;
    /// taps -> `lin` without corrections, h2
    virtual void stage1(const CompiledNetwork& network, int batches, const int8_t* taps, int32_t* linear,
                        uint8_t* hidden) = 0;
    /// h2, second tap list -> o, [batch][9][16]
    virtual void stage2(const CompiledNetwork& network, int batches, const uint8_t* hidden, const int8_t* errors,
                        int32_t* outputs) = 0;
};

/// Makes one for a model file and a δ.
using MakeAccelerator = std::function<std::unique_ptr<Accelerator>(ByteView model, int delta)>;

}  // namespace nlvc
