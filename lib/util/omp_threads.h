// How many threads OpenMP gives to the calling thread.
#pragma once

// Whichever OpenMP the inference libraries were built with is in the process with them; without
// any, these are null and there is nothing to limit.
extern "C" {
__attribute__((weak)) void omp_set_num_threads(int threads);
__attribute__((weak)) int omp_get_max_threads();
}

namespace fer {

/// While it lives, the libraries that this thread calls work on at most so many threads. OpenMP
/// keeps the number by thread, so that nobody else is disturbed: neither other elements, nor what
/// runs on this thread afterwards.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads) {
    if (omp_get_max_threads == nullptr || omp_set_num_threads == nullptr) return;
    before_ = omp_get_max_threads();
    omp_set_num_threads(threads);
  }
  ~ThreadLimit() {
    if (before_ > 0) omp_set_num_threads(before_);
  }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_ = 0;
};

/// On the calling thread alone.
class OneThread : public ThreadLimit {
 public:
  OneThread() : ThreadLimit(1) {}
};

}  // namespace fer
