// Threads that meet as processes do.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "error_of.h"
#include "free_port.h"
#include "learn/distributed/distributed_env.h"

namespace fer::test {

/// Calls `act` in `size` threads, each with a place of its own. Returns the error of each; "" for
/// none.
inline std::vector<std::string> together(int size,
                                         const std::function<void(const DistributedEnv&)>& act) {
  const int port = free_port();
  std::vector<std::string> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      errors[static_cast<std::size_t>(rank)] = error_of([&] {
        DistributedEnv env;
        env.rank = rank;
        env.size = size;
        env.host = "127.0.0.1";
        env.port = static_cast<std::uint16_t>(port);
        act(env);
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  return errors;
}

}  // namespace fer::test
