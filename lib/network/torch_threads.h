// How many threads LibTorch takes for the calling thread's work.
#pragma once

#include <ATen/Parallel.h>

#include "util/omp_threads.h"

namespace fer {

/// ThreadLimit, where LibTorch is called. LibTorch sets a thread's number once by itself, when it
/// is first used there; to ask for the number lets it do so before.
class TorchThreadLimit {
 public:
  explicit TorchThreadLimit(int threads) : limit_(threads) {}

 private:
  [[maybe_unused]] const int settled_ = at::get_num_threads();
  const ThreadLimit limit_;
};

class OneTorchThread : public TorchThreadLimit {
 public:
  OneTorchThread() : TorchThreadLimit(1) {}
};

}  // namespace fer
