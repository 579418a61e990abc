// A small head above the frozen trunk of a network.
#pragma once

#include "export.h"
#include "model/network_config.h"

namespace fer {

/// The trunk of a network, its stem and so many residual blocks, with one new residual block of
/// `width` channels above, which keeps the maps' side, and a head: what few labels can train.
/// Throws std::runtime_error where the network has fewer blocks, and what NetworkConfig::check()
/// throws.
FER_API NetworkConfig light_head_above(const NetworkConfig& network, int blocks, int width);

}  // namespace fer
