// How many threads LibTorch takes for the calling thread's work.
#pragma once

#include <ATen/Parallel.h>

#include "model/omp_threads.h"

namespace fer {

/// OneThread, where LibTorch is called. LibTorch sets a thread's number once by itself, when it is
/// first used there; to ask for the number lets it do so before.
class OneTorchThread {
 private:
  [[maybe_unused]] const int settled_ = at::get_num_threads();
  const OneThread one_thread_;
};

}  // namespace fer
