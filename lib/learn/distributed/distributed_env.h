// This process's place among those that train together, from torchrun's environment variables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "export.h"

namespace fer {

/// The environment of a distributed run.
struct DistributedEnv {
  int rank = 0;            ///< Among all processes, from 0.
  int size = 1;            ///< Number of processes.
  int local_size = 1;      ///< Number of processes on this machine.
  int local_rank = 0;      ///< Among those on this machine, from 0.
  std::string host;        ///< The machine on which rank 0 runs.
  std::uint16_t port = 0;  ///< The port on which it listens there.
};

/// Reads RANK, WORLD_SIZE, LOCAL_WORLD_SIZE (default 1), LOCAL_RANK (default: RANK modulo
/// LOCAL_WORLD_SIZE), MASTER_ADDR and MASTER_PORT. nullopt where WORLD_SIZE is unset or 1. Where
/// torchrun itself listens on MASTER_PORT (TORCHELASTIC_USE_AGENT_STORE), the port is the next one:
/// torchrun's protocol depends on its LibTorch, which may be another version than ours. Throws
/// std::runtime_error that names the variable that is missing or invalid.
FER_API std::optional<DistributedEnv> distributed_env();

/// The device of one process of several. "cuda": the device numbered by local_rank; "auto": the
/// processor. Throws what resolve_device() throws.
FER_API std::string device_of(const DistributedEnv& env, const std::string& name);

/// Throws std::runtime_error where the environment asks for several processes. `what`: the job that
/// one process alone can do, for the message.
FER_API void require_one_process(const std::string& what);

}  // namespace fer
