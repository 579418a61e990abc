// Which pseudo-labels are trusted, and how far. One interface for the rival rules; none of them
// knows of a trainer or a dataset, so that the offline trainer and an online learner share them.
#pragma once

#include <torch/types.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/thresholds/threshold_rule.h"

namespace fer {

/// What one step shows a policy. All probabilities are the teacher's, on weak views.
struct PolicyStep {
  torch::Tensor unlabelled;  ///< N x C, fp32: probabilities of unlabelled rows; N may be 0.
  torch::Tensor labelled;    ///< M x C, fp32: of labelled rows. Read where uses_labelled() is true.
  torch::Tensor labels;      ///< M, int64: what those rows are.
  std::int64_t step = 0;     ///< Steps before this one.
  int epoch = 0;             ///< Epochs before this one.
};

/// A policy's word on the unlabelled rows of a step.
struct PseudoLabels {
  torch::Tensor labels;      ///< N, int64: the likeliest class.
  torch::Tensor confidence;  ///< N, fp32: its probability.
  torch::Tensor weights;     ///< N, fp32 in [0, 1]: what the row counts in the loss.

  /// N, bool: rows whose label is taken for true, for who must draw a line.
  torch::Tensor accepted() const { return weights >= 0.5; }
};

/// A rule for trusting pseudo-labels: one of the formulas in this folder, with its settings and
/// what it has learnt, O(C) numbers that move with every step. Not thread-safe.
class ThresholdPolicy {
 public:
  /// True where it learns from labelled rows too.
  bool uses_labelled() const;

  /// Learns from the step, whose tensors are in the processor's memory, then judges its unlabelled
  /// rows.
  PseudoLabels judge(const PolicyStep& step);

  /// C, fp32: the confidence at which a row of each class is accepted now.
  torch::Tensor thresholds() const;

  /// Named tensors, enough to go on elsewhere.
  std::map<std::string, torch::Tensor> state() const;
  /// Takes over what state() gave. Throws std::runtime_error where a tensor is missing or of
  /// another shape.
  void load_state(const std::map<std::string, torch::Tensor>& state);

  /// {"policy", "settings", "thresholds": [one a class], "state"}: what a model file keeps.
  nlohmann::json describe() const;

  /// For who runs the same formula over a whole step: kernels::pseudo_label_step().
  const kernels::ThresholdRule& rule() const { return rule_; }
  const kernels::ThresholdState& numbers() const { return numbers_; }
  void take(const kernels::ThresholdState& numbers) { numbers_ = numbers; }

 private:
  friend std::unique_ptr<ThresholdPolicy> make_threshold_policy(const std::string&, int,
                                                                std::int64_t);
  ThresholdPolicy() = default;

  int classes_ = 0;
  std::string name_;
  std::map<std::string, double> settings_;
  kernels::ThresholdRule rule_;
  kernels::ThresholdState numbers_;
};

/// A policy by name, with settings where wanted: "dta:beta=0.95". `classes` in
/// [2, kernels::kMostClasses]. `window` is how many unlabelled rows a policy that counts over a
/// window looks back (the size of the unlabelled set, or some minutes of a stream). Throws
/// std::runtime_error that lists the names, or the settings, or says how many classes there can be.
std::unique_ptr<ThresholdPolicy> make_threshold_policy(const std::string& text, int classes,
                                                       std::int64_t window);

/// fixed, flex, free, soft, ada-cm, dta.
const std::vector<std::string>& threshold_policy_names();

}  // namespace fer
