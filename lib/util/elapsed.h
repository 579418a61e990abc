// How long something took.
#pragma once

#include <chrono>

namespace fer {

using SteadyClock = std::chrono::steady_clock;

inline double seconds_since(SteadyClock::time_point begun) {
  return std::chrono::duration<double>(SteadyClock::now() - begun).count();
}

}  // namespace fer
