// Threads that help with one job at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fer {

/// Runs the parts of a job on several threads, the caller's among them. Helpers are started when
/// they are first needed and sleep between jobs. One job at a time: callers take turns outside.
class WorkerPool {
 public:
  WorkerPool() = default;
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Calls part(0) … part(parts - 1), each once, on up to `parts` threads; returns when all are
  /// done. `part` must not throw.
  void run(std::size_t parts, const std::function<void(std::size_t)>& part);

 private:
  void work();
  void take_parts(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  const std::function<void(std::size_t)>* part_ = nullptr;  ///< Guarded by mutex_; so is the rest.
  std::size_t next_ = 0, parts_ = 0, running_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;  ///< Only the caller of run() touches it.
};

}  // namespace fer
