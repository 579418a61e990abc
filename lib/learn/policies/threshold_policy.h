// Which pseudo-labels are trusted, and how far. One interface for the rival rules. None of them
// knows a trainer or a dataset, so that the offline trainer and an online learner share them.
#pragma once

#include <torch/types.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/thresholds/threshold_rules.h"

namespace fer {

/// What one step shows a policy. All probabilities are the teacher's, on weak views.
struct PolicyInput {
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

  /// N, bool: rows whose label is taken for true, where a line must be drawn.
  torch::Tensor accepted() const { return weights >= 0.5; }
};

/// A rule for trusting pseudo-labels: one of kernels::ThresholdPolicies, with its settings and what
/// it has learnt, O(C) numbers that move with every step. Not thread-safe.
class ThresholdPolicy {
 public:
  /// True where it learns from labelled rows too.
  bool uses_labelled() const;

  /// The settings of dta-cv, whose thresholds set_thresholds() must bring; nullptr for the others.
  const kernels::DtaCv::Settings* cross_fit() const;

  /// Learns from the step, whose tensors are in the processor's memory, then labels its unlabelled
  /// rows.
  PseudoLabels update_and_label(const PolicyInput& step);

  /// C, fp32: the confidence at which a row of each class is accepted now.
  torch::Tensor thresholds() const;
  /// One a class; for policies whose cross_fit() is not null.
  void set_thresholds(const std::vector<double>& thresholds);

  /// Named tensors, enough to go on elsewhere.
  std::map<std::string, torch::Tensor> state_dict() const;
  /// Takes over what state_dict() gave. Throws std::runtime_error where a tensor is missing or of
  /// another shape.
  void load_state_dict(const std::map<std::string, torch::Tensor>& state);

  /// {"policy", "settings", "thresholds": [one a class], "state"}: what a model file keeps.
  nlohmann::json describe() const;

  /// The same formula as plain numbers, for kernels::pseudo_label_step().
  const kernels::ThresholdRule& rule() const { return rule_; }
  const kernels::ThresholdState& state() const { return state_; }
  void set_state(const kernels::ThresholdState& state) { state_ = state; }

 private:
  friend std::unique_ptr<ThresholdPolicy> make_threshold_policy(const std::string&, int,
                                                                std::int64_t);
  ThresholdPolicy() = default;

  int classes_ = 0;
  std::string name_;
  std::map<std::string, double> settings_;
  kernels::ThresholdRule rule_;
  kernels::ThresholdState state_;
};

/// A policy by name, with settings where wanted: "dta:beta=0.95". `classes` in
/// [2, kernels::kMaxClasses]. `window` is how many unlabelled rows a policy that counts over a
/// window looks back (the size of the unlabelled set, or some minutes of a stream). Throws
/// std::runtime_error that lists the names, or the settings, or says how many classes there can be.
std::unique_ptr<ThresholdPolicy> make_threshold_policy(const std::string& text, int classes,
                                                       std::int64_t window);

/// The names of kernels::ThresholdPolicies, in their order.
const std::vector<std::string>& threshold_policy_names();

/// One text for people: "fixed (tau), flex (tau, window), …".
std::string threshold_policy_help();

}  // namespace fer
