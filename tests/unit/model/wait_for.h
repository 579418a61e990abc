// Waiting for what other threads do.
#pragma once

#include <chrono>
#include <thread>

namespace fer::test {

/// Whether the condition came to hold within half a minute, which only a broken test waits for.
template <typename Condition>
bool wait_for(Condition&& holds) {
  using namespace std::chrono_literals;
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

}  // namespace fer::test
