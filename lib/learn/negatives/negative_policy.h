// What a face is not: which classes of an unlabelled row are taught to be wrong. Like the threshold
// policies, free of trainers and datasets.
#pragma once

#include <torch/types.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "learn/policy_options.h"

namespace fer {

/// What one step shows a policy, N unlabelled rows.
struct NegativeStep {
  torch::Tensor teacher;   ///< N x C, fp32: probabilities q of the weak views.
  torch::Tensor student;   ///< N x C, fp32: probabilities p of the strong views, detached.
  torch::Tensor accepted;  ///< N, bool: rows whose pseudo-label is taken for true.
};

/// A rule that selects the classes S(u) that a row u is taught not to be. Stateless, and free of
/// waits for a device.
class NegativePolicy {
 public:
  virtual ~NegativePolicy() = default;
  /// N x C, bool. Never holds a row's likeliest class under the teacher.
  virtual torch::Tensor select(const NegativeStep& step) const = 0;

  /// {"policy", "settings"}.
  nlohmann::json describe() const;

 private:
  friend std::unique_ptr<NegativePolicy> make_negative_policy(const std::string&, int);
  std::string name_;
  std::map<std::string, double> settings_;
};

/// A policy by name, with settings where wanted: "snl:mass=0.05". Throws std::runtime_error that
/// lists the names, or the settings.
std::unique_ptr<NegativePolicy> make_negative_policy(const std::string& text, int classes);

/// none, ups, fullmatch, lowest, argmin, snl.
const std::vector<std::string>& negative_policy_names();

}  // namespace fer
