// What a face is not: which classes of an unlabelled row are taught to be wrong. Like the threshold
// policies, free of trainers and datasets.
#pragma once

#include <torch/types.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/negatives/negative_rules.h"

namespace fer {

/// What one step shows a policy, N unlabelled rows, in the processor's memory.
struct NegativeStep {
  torch::Tensor teacher;   ///< N x C, fp32: probabilities q of the weak views.
  torch::Tensor student;   ///< N x C, fp32: probabilities p of the strong views, detached.
  torch::Tensor accepted;  ///< N, bool: rows whose pseudo-label is taken for true.
};

/// A rule that selects the classes S(u) that a row u is taught not to be: one of
/// kernels::NegativePolicies, with its settings.
class NegativePolicy {
 public:
  /// N x C, bool. Never holds a row's likeliest class under the teacher.
  torch::Tensor select(const NegativeStep& step) const;

  /// The settings of snl-conformal, whose quantiles set_quantiles() must bring; nullptr for the
  /// others.
  const kernels::SnlConformal::Settings* cross_fit() const;
  /// One a class; for policies whose cross_fit() is not null.
  void set_quantiles(const std::vector<double>& quantiles);

  /// {"policy", "settings"}.
  nlohmann::json describe() const;

  /// The same formula as plain numbers, for kernels::pseudo_label_step().
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

/// The names of kernels::NegativePolicies, in their order.
const std::vector<std::string>& negative_policy_names();

/// One text for people: "none, ups (tau), …".
std::string negative_policy_help();

}  // namespace fer
