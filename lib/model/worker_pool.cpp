#include "model/worker_pool.h"

namespace fer {

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::run(std::size_t parts, const std::function<void(std::size_t)>& part) {
  while (threads_.size() + 1 < parts) threads_.emplace_back([this] { work(); });
  std::unique_lock lock(mutex_);
  part_ = &part;
  next_ = 0;
  parts_ = parts;
  if (parts > 1) wake_.notify_all();
  take_parts(lock);
  finished_.wait(lock, [this] { return running_ == 0; });
  part_ = nullptr;
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || (part_ != nullptr && next_ < parts_); });
    if (stop_) return;
    take_parts(lock);
    if (running_ == 0) finished_.notify_all();
  }
}

void WorkerPool::take_parts(std::unique_lock<std::mutex>& lock) {
  while (next_ < parts_) {
    const std::size_t mine = next_++;
    ++running_;
    lock.unlock();
    (*part_)(mine);
    lock.lock();
    --running_;
  }
}

}  // namespace fer
