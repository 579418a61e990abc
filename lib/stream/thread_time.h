// A thread's use of the processor. Free of LibTorch.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <thread>

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

/// The thread gets its share of the processor again. The system allows it to those that may run at
/// nice 0 (RLIMIT_NICE of 20, in systemd LimitNICE=+0); without it, the thread stays idle.
inline void end_idle_priority(std::thread& thread) {
  const sched_param none{};
  pthread_setschedparam(thread.native_handle(), SCHED_OTHER, &none);
}

}  // namespace fer
