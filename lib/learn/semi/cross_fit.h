// Heads that are fitted beside the network, each without a part of the labelled rows: a teacher
// that cannot be sure because it knows a row by heart.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "learn/semi/out_of_fold.h"

namespace fer {

struct CrossFitConfig {
  int folds = 5;
  double l2 = 0.01;  ///< Of the heads' logistic regressions.
  PrecisionTarget precision = {};
  double alpha = 0.05;  ///< Of the conformal quantiles.
  bool mix = false;     ///< Whether the unlabelled rows' mix of classes is estimated and applied.
};

/// K logistic regressions on a network's features. Fitting them to new features of the same
/// labelled rows moves everything below with them. Not thread-safe.
class CrossFit {
 public:
  /// `labels`: of the labelled rows, in [0, classes). Rows of a class go to the folds in turn.
  /// Throws std::runtime_error, naming the class by `names`, for one with fewer rows than folds.
  CrossFit(const CrossFitConfig& config, const std::vector<int>& labels,
           const std::vector<std::string>& names);

  /// `labelled`: N x D, features of the labelled rows as the constructor had their labels. `pool`:
  /// M x D, features of unlabelled rows, by which their mix is estimated; may be undefined where no
  /// mix is asked for.
  void fit(const torch::Tensor& labelled, const torch::Tensor& pool = {});
  bool fitted() const { return weight_.defined(); }

  /// N x D → N x C, fp32: the mean over the heads, tempered, and under the estimated mix.
  torch::Tensor probabilities(const torch::Tensor& features) const;

  /// One a class, for DtaCv and for SnlConformal.
  const std::vector<double>& thresholds() const { return thresholds_; }
  const std::vector<double>& quantiles() const { return quantiles_; }
  /// The estimated mix of the unlabelled rows; uniform where it is not asked for.
  const std::vector<double>& mix() const { return mix_; }

  /// Enough to go on elsewhere; empty before the first fit.
  std::map<std::string, torch::Tensor> state_dict() const;
  /// Throws std::runtime_error where a tensor is missing.
  void load_state_dict(const std::map<std::string, torch::Tensor>& state);

 private:
  /// Of each head, without the mix: heads x N x C.
  torch::Tensor by_head(const torch::Tensor& features) const;

  const CrossFitConfig config_;
  const int classes_;
  std::vector<int> labels_;
  torch::Tensor label_tensor_, fold_;  ///< N, int64.
  torch::Tensor weight_, bias_;        ///< K x C x D and K x C, float64.
  double temperature_ = 1;
  std::vector<double> thresholds_, quantiles_, mix_, known_;
};

}  // namespace fer
