// What is made ahead of who takes it, on threads of its own.
#pragma once

#include <deque>
#include <functional>
#include <future>
#include <utility>

namespace fer {

/// Things in order, of which so many are being made at a time.
template <typename T>
class Ahead {
 public:
  /// From now on `next()` returns what the jobs make that `draw` gives, one after the other, until
  /// it gives an empty one. `draw` is called by who calls next(); the jobs run each on a thread of
  /// its own, up to `workers` at once, and must not need what `draw` changes.
  void start(int workers, std::function<std::function<T()>()> draw) {
    draw_ = std::move(draw);
    for (int i = 0; i < workers; ++i) add();
  }

  /// Waits for what is still being made.
  ~Ahead() {
    for (auto& job : jobs_) job.wait();
  }

  bool empty() const { return jobs_.empty(); }

  /// Throws what making it threw. Must not be called where empty().
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
