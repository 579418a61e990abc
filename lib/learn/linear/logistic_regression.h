// Multinomial logistic regression, fitted in float64.
#pragma once

#include <torch/types.h>

namespace fer {

struct LogisticRegressionConfig {
  /// Weight of ½‖W‖² beside the mean cross-entropy of the rows; biases go free.
  double l2 = 1e-3;
  int max_iterations = 200;
};

/// A linear classifier: softmax(W x' + b) of x' = (x − mean) / deviation, each feature by its mean
/// and standard deviation over the rows that it was fitted to.
///
/// Fitted by LibTorch's L-BFGS with a line search (strong Wolfe conditions). The objective is
/// strictly convex in W, so that the fit depends on the rows alone.
class LogisticRegression {
 public:
  LogisticRegression() = default;
  /// `features`: N x D, any float type. `labels`: N, int64, in [0, classes). `weights`: N, what
  /// each row counts; undefined: all the same. Throws std::invalid_argument for shapes that do not
  /// fit, for no rows, and for values that are not finite.
  static LogisticRegression fit(const torch::Tensor& features, const torch::Tensor& labels,
                                int classes, const LogisticRegressionConfig& config = {},
                                const torch::Tensor& weights = {});

  /// M x D → M x C, float64.
  torch::Tensor logits(const torch::Tensor& features) const;
  torch::Tensor probabilities(const torch::Tensor& features) const {
    return torch::softmax(logits(features), 1);
  }

  /// The same classifier on features as they come: C x D and C, float64.
  torch::Tensor weight() const { return weight_; }
  torch::Tensor bias() const { return bias_; }

 private:
  torch::Tensor weight_, bias_;
};

}  // namespace fer
