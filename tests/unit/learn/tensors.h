// Small tensors written out by hand, and what is in others.
#pragma once

#include <torch/types.h>

#include <vector>

#include "learn/policies/threshold_policy.h"

namespace fer::test {

/// The values of a tensor, row by row.
inline std::vector<float> values(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.to(torch::kFloat).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

/// A step that shows unlabelled rows alone.
inline PolicyInput unlabelled(const torch::Tensor& probabilities) {
  PolicyInput step;
  step.unlabelled = probabilities;
  return step;
}

/// A step that shows labelled rows alone.
inline PolicyInput labelled(const torch::Tensor& probabilities, const torch::Tensor& labels,
                            std::int64_t step = 0, int epoch = 0) {
  PolicyInput shown;
  shown.unlabelled = torch::empty({0, probabilities.size(1)});
  shown.labelled = probabilities;
  shown.labels = labels;
  shown.step = step;
  shown.epoch = epoch;
  return shown;
}

}  // namespace fer::test
