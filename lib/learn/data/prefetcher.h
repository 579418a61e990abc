// Ordered prefetch: items are made on threads of their own before somebody asks for them.
#pragma once

#include <deque>
#include <functional>
#include <future>
#include <utility>

namespace fer {

/// Makes items in order, up to `workers` of them at a time. Not thread-safe.
template <typename T>
class Prefetcher {
 public:
  /// Begins to run jobs. `draw` returns the next job, or an empty function after the last; next()
  /// calls it on the caller's thread. Each job runs on a thread of its own and makes one item. A
  /// job must not read what `draw` changes.
  void start(int workers, std::function<std::function<T()>()> draw) {
    draw_ = std::move(draw);
    for (int i = 0; i < workers; ++i) add();
  }

  /// Waits for the jobs that still run.
  ~Prefetcher() {
    for (auto& job : jobs_) job.wait();
  }

  bool empty() const { return jobs_.empty(); }

  /// The next item, in the order of draw()'s jobs. Rethrows what its job threw. Must not be called
  /// when empty().
  T next() {
    std::future<T> first = std::move(jobs_.front());
    first.wait();
    jobs_.pop_front();
    add();
    return first.get();
  }

 private:
  void add() {
    if (std::function<T()> job = draw_())
      jobs_.push_back(std::async(std::launch::async, std::move(job)));
  }

  std::function<std::function<T()>()> draw_;
  std::deque<std::future<T>> jobs_;
};

}  // namespace fer
