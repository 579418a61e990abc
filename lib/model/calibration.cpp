#include "model/calibration.h"

#include <stdexcept>

namespace fer {

void fold_calibration(const Calibration& calibration, std::span<float> head_weight,
                      std::span<float> head_bias) {
  if (!calibration.bias.empty() && calibration.bias.size() != head_bias.size())
    throw std::invalid_argument("fold_calibration: expected a bias for each class of the head");
  const auto scale = static_cast<float>(1 / calibration.temperature);
  for (float& w : head_weight) w *= scale;
  for (float& b : head_bias) b *= scale;
  for (std::size_t k = 0; k < calibration.bias.size(); ++k) head_bias[k] += calibration.bias[k];
}

}  // namespace fer
