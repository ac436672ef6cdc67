// Memory that vector loads do not straddle.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace nlvc {
namespace {  // compiled for several instruction sets

/// Numbers from an address that is a multiple of 64, zeros at first.
template <class T>
class AlignedArray {
  public:
    AlignedArray() = default;
    explicit AlignedArray(size_t count) { resize(count); }
    /// What was there before is gone.
    void resize(size_t count) {
        const size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
        memory_.reset(static_cast<T*>(std::aligned_alloc(64, bytes)));
        if (memory_ == nullptr && bytes > 0) throw std::bad_alloc();
        if (bytes > 0) std::memset(memory_.get(), 0, bytes);
    }
    T* data() { return memory_.get(); }
    T& operator[](size_t i) { return memory_.get()[i]; }

  private:
    struct Free {
        void operator()(T* memory) const { std::free(memory); }
    };
    std::unique_ptr<T, Free> memory_;
};

}  // namespace
}  // namespace nlvc
