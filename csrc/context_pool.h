// Context planes to work in, as many as slices are coded at the same time.
#pragma once
#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "context.h"

namespace nlvc {

class ContextPool {
  public:
    /// A context for one slice; it goes back when the lease ends, with its memory.
    class Lease {
      public:
        explicit Lease(ContextPool& pool) : pool_(pool), context_(pool.take()) {}
        ~Lease() { pool_.give_back(std::move(context_)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        PlaneContext& operator*() const { return *context_; }

      private:
        ContextPool& pool_;
        std::unique_ptr<PlaneContext> context_;
    };

  private:
    std::unique_ptr<PlaneContext> take() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (idle_.empty()) return std::make_unique<PlaneContext>();
        // One that this thread had before, if there is one: it is in the caches of its core.
        auto found = std::find_if(idle_.begin(), idle_.end(),
                                  [](const Idle& idle) { return idle.thread == std::this_thread::get_id(); });
        if (found == idle_.end()) --found;
        std::unique_ptr<PlaneContext> context = std::move(found->context);
        idle_.erase(found);
        return context;
    }
    void give_back(std::unique_ptr<PlaneContext> context) {
        const std::lock_guard<std::mutex> lock(mutex_);
        idle_.push_back({std::move(context), std::this_thread::get_id()});
    }

    struct Idle {
        std::unique_ptr<PlaneContext> context;
        std::thread::id thread;  ///< that had it last
    };

    std::mutex mutex_;
    std::vector<Idle> idle_;
};

}  // namespace nlvc
