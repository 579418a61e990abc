// A thread's use of the processor. Free of LibTorch.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <time.h>

namespace fer {

/// CPU time of the calling thread, seconds.
inline double thread_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The calling thread runs only where nobody else wants the processor. OpenMP's threads, which
/// LibTorch starts from it, inherit that.
inline void take_idle_priority() {
  const sched_param none{};
  pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
}

}  // namespace fer
