// Where this process stands among those that train together, as torchrun says it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "export.h"

namespace fer {

struct DistributedEnv {
  int rank = 0;            ///< Among all processes, from 0.
  int size = 1;            ///< Processes in all.
  int local_size = 1;      ///< Of them on this machine.
  int local_rank = 0;      ///< Among those on this machine, from 0.
  std::string host;        ///< On which rank 0 runs.
  std::uint16_t port = 0;  ///< On which it listens there.
};

/// By RANK, WORLD_SIZE, LOCAL_WORLD_SIZE (1 where it is not set), LOCAL_RANK (where it is not set,
/// what is left of RANK by LOCAL_WORLD_SIZE), MASTER_ADDR and MASTER_PORT;
/// nullopt where WORLD_SIZE is not set or 1. The port is the one after MASTER_PORT where torchrun
/// itself listens on that (TORCHELASTIC_USE_AGENT_STORE): what it speaks there differs between
/// LibTorch's versions, and it may be of another one. Throws std::runtime_error that names the
/// variable that is missing or makes no sense.
FER_API std::optional<DistributedEnv> distributed_env();

/// The device that a name means for one process of several: of "cuda", the one with the process's
/// number on its machine; "auto" is the processor. Throws what resolve_device() throws.
FER_API std::string device_of(const DistributedEnv& env, const std::string& name);

/// For what one process alone can do. Throws std::runtime_error, `what` in it, where the
/// environment asks for several.
FER_API void require_one_process(const std::string& what);

}  // namespace fer
