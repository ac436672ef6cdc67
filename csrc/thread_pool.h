// Runs independent jobs on a fixed number of threads. Results never depend on that number.
#pragma once
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nlvc {

class ThreadPool {
  public:
    /// @param threads  number of threads that work, the calling one included; 0: one for each processor
    explicit ThreadPool(int threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    /// Calls job(0) .. job(count - 1) and returns when all have ended. If some throw, the exception of the lowest index
    /// is rethrown. Each thread begins with a share of its own, so that what one run leaves in a core's cache is there
    /// in the next; then it takes what is left of others.
    void run(int count, const std::function<void(int)>& job);

  private:
    struct Share {
        int next, end;  ///< jobs that nobody has taken yet
    };

    void stop();
    void work(size_t thread);
    void take_jobs(size_t thread, std::unique_lock<std::mutex>& lock);
    int take_job(size_t thread);

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    const std::function<void(int)>* job_ = nullptr;
    std::vector<Share> shares_;  ///< by thread, the calling one first
    int left_ = 0;               ///< in all shares
    int running_ = 0;
    bool ending_ = false;
    std::vector<std::exception_ptr> errors_;
    std::vector<std::thread> threads_;
};

}  // namespace nlvc
