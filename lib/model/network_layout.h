// What tensors a network has, known without building it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "export.h"
#include "model/network_config.h"

namespace fer {

/// Name → shape of every parameter and every floating-point buffer of NetworkImpl under this
/// config. A model file says its config itself: this tells what it must hold before memory for it
/// is asked for.
FER_API std::map<std::string, std::vector<std::int64_t>> network_layout(
    const NetworkConfig& config);

/// True for a tensor of the head, by its name.
FER_API bool is_of_head(const std::string& tensor);

/// Name of a residual block, as in "stage1_0".
FER_API std::string block_name(std::size_t stage, int index);

}  // namespace fer
