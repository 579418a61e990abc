// Threads that answer requests, a fixed number of them.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fer {

/// Takes no more connections than it has threads: whoever comes beyond waits in the system's queue,
/// which is bounded, and costs neither memory nor a file descriptor here. All threads have a low
/// priority, so that answering never takes the processor from frames.
class BoundedWorkers : public httplib::TaskQueue {
 public:
  explicit BoundedWorkers(std::size_t threads);
  ~BoundedWorkers() override;

  /// Waits until a thread is free; after release(), takes the task all the same.
  void enqueue(std::function<void()> task) override;
  /// Ends the threads, once their tasks have ended.
  void shutdown() override;
  /// Lets an enqueue() that waits go on.
  void release();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable free_, ready_;
  std::deque<std::function<void()>> tasks_;
  std::size_t idle_ = 0;
  bool released_ = false, ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace fer
