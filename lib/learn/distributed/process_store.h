// Where processes that are to work together meet.
#pragma once

#include <chrono>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "learn/distributed/distributed_env.h"

namespace fer {

/// From LibTorch 2.4 on it is libuv that meets the others, unless told otherwise; Debian's is built
/// without it.
template <typename Options>
void meet_by_sockets(Options& options) {
  if constexpr (requires { options.useLibUV; }) options.useLibUV = false;
}

/// Values that all of them see, at rank 0's host. Waits for all to come; throws std::exception
/// where they do not within `patience`.
inline c10::intrusive_ptr<c10d::Store> meet(const DistributedEnv& env,
                                            std::chrono::milliseconds patience) {
  c10d::TCPStoreOptions options;
  options.port = env.port;
  options.isServer = env.rank == 0;
  options.numWorkers = static_cast<std::size_t>(env.size);
  options.timeout = patience;
  meet_by_sockets(options);
  return c10::make_intrusive<c10d::TCPStore>(env.host, options);
}

}  // namespace fer
