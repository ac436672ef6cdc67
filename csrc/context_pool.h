// Context planes to work in, as many as slices are coded at the same time.
#pragma once
#include <memory>
#include <mutex>
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
        std::unique_ptr<PlaneContext> context = std::move(idle_.back());
        idle_.pop_back();
        return context;
    }
    void give_back(std::unique_ptr<PlaneContext> context) {
        const std::lock_guard<std::mutex> lock(mutex_);
        idle_.push_back(std::move(context));
    }

    std::mutex mutex_;
    std::vector<std::unique_ptr<PlaneContext>> idle_;
};

}  // namespace nlvc
