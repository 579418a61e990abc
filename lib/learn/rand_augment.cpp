#include "learn/rand_augment.h"

#include <stdexcept>
#include <string>

#include "cuda/augment.h"

namespace fer {

void rand_augment(std::span<const std::uint8_t> crop, int channels, int side,
                  const RandAugmentConfig& config, Random random, std::span<float> out) {
  if (config.operations > kernels::kMostOperations) {
    throw std::invalid_argument("RandAugment: expected at most " +
                                std::to_string(kernels::kMostOperations) + " operations, found " +
                                std::to_string(config.operations));
  }
  const kernels::ViewPlan plan = kernels::draw_view(config, channels, side, random);
  kernels::apply_view(plan, crop.data(), channels, side, out);
}

}  // namespace fer
