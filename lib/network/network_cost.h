// What a network costs. Free of LibTorch in its interface.
#pragma once

#include <cstdint>

#include "export.h"
#include "model/network_config.h"

namespace fer {

/// How large a network is, and how much it computes.
struct NetworkCost {
  std::int64_t parameters = 0;  ///< That training changes: statistics of batch norm not among them.
  std::int64_t macs = 0;        ///< Multiply-accumulates of one face.
};

/// Throws what NetworkConfig::check() throws.
FER_API NetworkCost network_cost(const NetworkConfig& config);

}  // namespace fer
