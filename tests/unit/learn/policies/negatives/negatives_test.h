// The rows by which the negative policies are tested.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "learn/policies/negative_policy.h"

namespace fer::test {

using Rows = std::vector<std::vector<int>>;

/// The classes that a policy selects in each row.
inline Rows chosen(const std::string& policy, const NegativeStep& step) {
  const torch::Tensor chosen = make_negative_policy(policy, 4)->select(step);
  Rows rows;
  for (std::int64_t i = 0; i < chosen.size(0); ++i) {
    rows.emplace_back();
    for (std::int64_t k = 0; k < chosen.size(1); ++k)
      if (chosen[i][k].item<bool>()) rows.back().push_back(static_cast<int>(k));
  }
  return rows;
}

/// Three rows of four classes, of which the first is accepted.
inline NegativeStep three_rows() {
  NegativeStep step;
  step.teacher =
      torch::tensor({{0.94, 0.03, 0.02, 0.01}, {0.5, 0.3, 0.16, 0.04}, {0.02, 0.9, 0.05, 0.03}});
  step.student =
      torch::tensor({{0.4, 0.3, 0.2, 0.1}, {0.2, 0.5, 0.295, 0.005}, {0.2, 0.5, 0.295, 0.005}});
  step.accepted = torch::tensor({true, false, false});
  return step;
}

}  // namespace fer::test
