#include "thread_pool.h"

#include <algorithm>

namespace nlvc {

ThreadPool::ThreadPool(int threads) {
    if (threads == 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    shares_.resize(static_cast<size_t>(threads));
    try {
        for (int i = 1; i < threads; ++i) threads_.emplace_back([this, i] { work(static_cast<size_t>(i)); });
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
    const auto threads = static_cast<int64_t>(shares_.size());
    for (int64_t i = 0; i < threads; ++i)
        shares_[i] = {static_cast<int>(count * i / threads), static_cast<int>(count * (i + 1) / threads)};
    left_ = count;
    errors_.assign(static_cast<size_t>(count), nullptr);
    if (count > 1) wake_.notify_all();
    take_jobs(0, lock);
    done_.wait(lock, [this] { return running_ == 0; });
    job_ = nullptr;
    for (const std::exception_ptr& error : errors_)
        if (error) std::rethrow_exception(error);
}

void ThreadPool::work(size_t thread) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return ending_ || left_ > 0; });
        if (ending_) return;
        take_jobs(thread, lock);
    }
}

int ThreadPool::take_job(size_t thread) {
    --left_;
    Share& own = shares_[thread];
    if (own.next < own.end) return own.next++;
    return --std::max_element(shares_.begin(), shares_.end(), [](const Share& a, const Share& b) {
                 return a.end - a.next < b.end - b.next;
             })->end;
}

void ThreadPool::take_jobs(size_t thread, std::unique_lock<std::mutex>& lock) {
    while (left_ > 0) {
        const int index = take_job(thread);
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
