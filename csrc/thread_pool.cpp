#include "thread_pool.h"

#include <algorithm>

namespace nlvc {

ThreadPool::ThreadPool(int threads) {
    if (threads == 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    try {
        for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
        stop();  // the system gives no more threads
        throw;
    }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ending_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(int count, const std::function<void(int)>& job) {
    std::unique_lock<std::mutex> lock(mutex_);
    job_ = &job;
    count_ = count;
    next_ = 0;
    errors_.assign(static_cast<size_t>(count), nullptr);
    if (count > 1) wake_.notify_all();
    take_jobs(lock);
    done_.wait(lock, [this] { return running_ == 0; });
    job_ = nullptr;
    count_ = next_ = 0;
    for (const std::exception_ptr& error : errors_)
        if (error) std::rethrow_exception(error);
}

void ThreadPool::work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return ending_ || next_ < count_; });
        if (ending_) return;
        take_jobs(lock);
    }
}

void ThreadPool::take_jobs(std::unique_lock<std::mutex>& lock) {
    while (next_ < count_) {
        const int index = next_++;
        ++running_;
        const auto& job = *job_;
        lock.unlock();
        std::exception_ptr error;
        try {
            job(index);
        } catch (...) {
            error = std::current_exception();
        }
        lock.lock();
        errors_[index] = error;
        if (--running_ == 0) done_.notify_all();
    }
}

}  // namespace nlvc
