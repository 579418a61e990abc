// What a semi-supervised run counts over an epoch.
#pragma once

#include <torch/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "learn/distributed/process_group.h"
#include "learn/policies/threshold_policy.h"

namespace fer {

/// Sums over the steps of an epoch, as tensors, so that no step waits for a device.
class EpochSums {
 public:
  EpochSums(std::int64_t classes, torch::Device device);

  /// `unlabelled`: 2, of the pseudo-labels and of the negatives.
  void add_losses(const torch::Tensor& all, const torch::Tensor& x,
                  const torch::Tensor& unlabelled);
  /// `truth`: N, int64: the rows' labels; -1: not known, kDistractor: none that could be named.
  void add_pseudo_labels(const PseudoLabels& pseudo, const torch::Tensor& truth);
  void add_negatives(const torch::Tensor& chosen, const torch::Tensor& truth);

  /// Those of all processes. Each has looked at as many rows.
  void gather(ProcessGroup& group);

  /// The sums as the fields of a log line. `policy`: null where nothing unlabelled is learnt from.
  void write(nlohmann::json& entry, int steps, const std::vector<std::string>& labels,
             const ThresholdPolicy* policy) const;

  torch::Tensor losses;  ///< All, labelled, pseudo-labels, negatives.

 private:
  enum Column { kSeen, kWeight, kKnown, kRight, kColumns };
  torch::Tensor by_class_;     ///< Of each pseudo-label.
  torch::Tensor by_truth_;     ///< Of each true label: rows, and those accepted as what they are.
  torch::Tensor distractors_;  ///< Rows, and those accepted as anything.
  torch::Tensor negatives_;    ///< Rows, classes ruled out, and how many of these were the truth.
};

}  // namespace fer
