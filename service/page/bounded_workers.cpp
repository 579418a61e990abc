#include "page/bounded_workers.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace fer {
namespace {

constexpr int kNice = 10;

}  // namespace

BoundedWorkers::BoundedWorkers(std::size_t threads) : idle_(threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

BoundedWorkers::~BoundedWorkers() {
  shutdown();
}

void BoundedWorkers::enqueue(std::function<void()> task) {
  std::unique_lock lock(mutex_);
  free_.wait(lock, [&] { return released_ || tasks_.size() < idle_; });
  tasks_.push_back(std::move(task));
  ready_.notify_one();
}

void BoundedWorkers::release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  free_.notify_all();
}

void BoundedWorkers::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = released_ = true;
  }
  free_.notify_all();
  ready_.notify_all();
  for (std::thread& thread : std::exchange(threads_, {})) thread.join();
}

void BoundedWorkers::work() {
  pthread_setname_np(pthread_self(), "fer-page");
  // On Linux, of this thread alone.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [&] { return ended_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      --idle_;
    }
    task();
    {
      const std::lock_guard lock(mutex_);
      ++idle_;
    }
    free_.notify_one();
  }
}

}  // namespace fer
