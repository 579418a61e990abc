// What a face is not: which classes of an unlabelled row are taught to be wrong. Like the threshold
// policies, free of trainers and datasets.
#pragma once

#include <torch/types.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/negatives/negative_rule.h"

namespace fer {

/// What one step shows a policy, N unlabelled rows, in the processor's memory.
struct NegativeStep {
  torch::Tensor teacher;   ///< N x C, fp32: probabilities q of the weak views.
  torch::Tensor student;   ///< N x C, fp32: probabilities p of the strong views, detached.
  torch::Tensor accepted;  ///< N, bool: rows whose pseudo-label is taken for true.
};

/// A rule that selects the classes S(u) that a row u is taught not to be: one of the formulas in
/// this folder, with its settings. Stateless.
class NegativePolicy {
 public:
  /// N x C, bool. Never holds a row's likeliest class under the teacher.
  torch::Tensor select(const NegativeStep& step) const;

  /// {"policy", "settings"}.
  nlohmann::json describe() const;

  /// For who runs the same formula over a whole step: kernels::pseudo_label_step().
  const kernels::NegativeRule& rule() const { return rule_; }

 private:
  friend std::unique_ptr<NegativePolicy> make_negative_policy(const std::string&, int);
  NegativePolicy() = default;

  std::string name_;
  std::map<std::string, double> settings_;
  kernels::NegativeRule rule_;
};

/// A policy by name, with settings where wanted: "snl:mass=0.05". Throws std::runtime_error that
/// lists the names, or the settings.
std::unique_ptr<NegativePolicy> make_negative_policy(const std::string& text, int classes);

/// none, ups, fullmatch, lowest, argmin, snl.
const std::vector<std::string>& negative_policy_names();

}  // namespace fer
