#include "network/light_head.h"

#include <algorithm>
#include <stdexcept>

namespace fer {

NetworkConfig light_head_above(const NetworkConfig& network, int blocks, int width) {
  NetworkConfig light = network;
  light.name = network.name + "-light";
  light.widths.clear();
  light.depths.clear();
  light.strides.clear();
  int left = blocks;
  for (std::size_t stage = 0; stage < network.depths.size() && left > 0; ++stage) {
    light.widths.push_back(network.widths[stage]);
    light.depths.push_back(std::min(left, network.depths[stage]));
    light.strides.push_back(network.strides[stage]);
    left -= light.depths.back();
  }
  if (left > 0) {
    throw std::runtime_error("network \"" + network.name + "\": expected " +
                             std::to_string(blocks) + " residual blocks, found " +
                             std::to_string(blocks - left));
  }
  light.widths.push_back(width);
  light.depths.push_back(1);
  light.strides.push_back(1);
  light.attention_branches = 0;
  light.drop_branch = light.drop_feature = 0;
  light.check();
  return light;
}

}  // namespace fer
