// Which pseudo-labels are trusted, and how far. One interface for the rival rules; none of them
// knows of a trainer or a dataset, so that the offline trainer and an online learner share them.
#pragma once

#include <torch/types.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "learn/policy_options.h"

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

/// A rule for trusting pseudo-labels. Its state is O(C), moves with every step, and lies on the
/// device of the tensors that it is shown; nothing in it waits for that device. Not thread-safe.
class ThresholdPolicy {
 public:
  virtual ~ThresholdPolicy() = default;

  /// True where it learns from labelled rows too.
  virtual bool uses_labelled() const { return false; }

  /// Learns from the step, then judges its unlabelled rows.
  PseudoLabels judge(const PolicyStep& step);

  /// C, fp32: the confidence at which a row of each class is accepted now.
  virtual torch::Tensor thresholds() const = 0;

  /// Named tensors, enough to go on elsewhere.
  const std::map<std::string, torch::Tensor>& state() const { return state_; }
  /// Takes over what state() gave. Throws std::runtime_error where a tensor is missing or of
  /// another shape.
  void load_state(const std::map<std::string, torch::Tensor>& state);

  /// {"policy", "settings", "thresholds": [one a class], "state"}: what a model file keeps.
  nlohmann::json describe() const;

 protected:
  explicit ThresholdPolicy(int classes) : classes_(classes) {}

  /// Moves the state by one step. `confidence` and `labels` are those of PseudoLabels.
  virtual void learn(const PolicyStep& step, const torch::Tensor& confidence,
                     const torch::Tensor& labels) = 0;
  /// 1 where the confidence reaches the threshold of the label, 0 elsewhere, unless overridden.
  virtual torch::Tensor weigh(const torch::Tensor& confidence, const torch::Tensor& labels) const;

  int classes() const { return classes_; }
  /// C sums of `values` (N) over the rows of each label (N, int64).
  torch::Tensor sum_by_class(const torch::Tensor& values, const torch::Tensor& labels) const;

  std::map<std::string, torch::Tensor> state_;

 private:
  friend std::unique_ptr<ThresholdPolicy> make_threshold_policy(const std::string&, int,
                                                                std::int64_t);
  const int classes_;
  std::string name_;
  std::map<std::string, double> settings_;
};

/// A policy by name, with settings where wanted: "dta:beta=0.95". `window` is how many unlabelled
/// rows a policy that counts over a window looks back (the size of the unlabelled set, or some
/// minutes of a stream). Throws std::runtime_error that lists the names, or the settings.
std::unique_ptr<ThresholdPolicy> make_threshold_policy(const std::string& text, int classes,
                                                       std::int64_t window);

/// fixed, flex, free, soft, ada-cm, dta.
const std::vector<std::string>& threshold_policy_names();

}  // namespace fer
