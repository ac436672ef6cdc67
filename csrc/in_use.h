// Codecs keep state from frame to frame: two calls at once would mix it up, so the second one is refused.
#pragma once
#include <atomic>
#include <stdexcept>

namespace nlvc {

/// Holds a flag for the length of a call.
class InUse {
  public:
    explicit InUse(std::atomic_flag& flag) : flag_(flag) {
        if (flag_.test_and_set(std::memory_order_acquire))
            throw std::invalid_argument(
                "this codec is busy with another call: use one object for each stream and thread");
    }
    ~InUse() { flag_.clear(std::memory_order_release); }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

  private:
    std::atomic_flag& flag_;
};

}  // namespace nlvc
