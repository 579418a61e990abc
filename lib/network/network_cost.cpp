#include "network/network_cost.h"

#include "network/network.h"

namespace fer {

NetworkCost network_cost(const NetworkConfig& config) {
  const Network network(config);
  NetworkCost cost;
  cost.macs = network->macs();
  for (const auto& parameter : network->parameters()) cost.parameters += parameter.numel();
  return cost;
}

}  // namespace fer
