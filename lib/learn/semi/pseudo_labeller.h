// Where the probabilities come from by which unlabelled rows are labelled: the teacher's own word,
// or what a method makes of it.
#pragma once

#include <torch/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "learn/policies/negative_policy.h"
#include "learn/policies/threshold_policy.h"
#include "learn/semi/methods.h"

namespace fer {

/// What the teacher, the average of the network, says of the weak views of rows.
struct TeacherOutput {
  torch::Tensor logits;     ///< N x C, fp32.
  torch::Tensor features;   ///< N x D: what its head sees.
  torch::Tensor maps = {};  ///< N x C' x S x S: the frozen maps below it; undefined without those.
};

/// Not thread-safe. The state moves with the steps.
class PseudoLabeller {
 public:
  virtual ~PseudoLabeller() = default;

  /// Before each step. True where it has changed the policies.
  virtual bool begin_step(std::int64_t /*step*/) { return false; }
  /// N x C, fp32, where the logits lie.
  virtual torch::Tensor probabilities(const TeacherOutput& teacher) = 0;
  /// The same of rows that are not unlabelled ones: nothing is learnt from them.
  virtual torch::Tensor probabilities_of_labelled(const TeacherOutput& teacher) const;
  /// C: what is added to the student's logits in the unsupervised loss; undefined: nothing.
  virtual torch::Tensor student_shift() const { return {}; }
  /// What all rows are taught, of what probabilities() gave: N x C. Undefined: the likeliest class
  /// of the accepted rows.
  virtual torch::Tensor soft_labels(const torch::Tensor& /*probabilities*/) const { return {}; }

  virtual std::map<std::string, torch::Tensor> state_dict() const { return {}; }
  virtual void load_state_dict(const std::map<std::string, torch::Tensor>&) {}
};

/// What a cross-fitted labeller asks the trainer for.
struct CrossFitSource {
  std::vector<int> labels;         ///< Of the labelled faces.
  std::vector<std::string> names;  ///< Of the classes.
  /// The teacher's features of plain views of all labelled faces, in the order of `labels`. For
  /// Method::map_heads pooled_maps() in their place.
  std::function<torch::Tensor()> labelled;
  /// The same of a sample of the unlabelled faces.
  std::function<torch::Tensor()> pool;
};

/// Side of the grid to which maps are pooled for Method::map_heads.
inline constexpr int kHeadGrid = 3;

/// The teacher's softmax, as FixMatch and its kin have it.
///
/// With Method::debias = λ above 0 it is DebiasPL's (Wang et al., CVPR 2022, arXiv 2201.01490):
/// softmax(z − λ log p̂) of the logits z, p̂ ← m p̂ + (1 − m) mean softmax(z). p̂ is a vector with one
/// entry a class, uniform at first; m = 0.999. The paper's marginal loss adds λ log p̂ to the
/// student's logits.
///
/// Where a policy cross-fits, it is the mean of heads that are fitted every `refit` steps
/// (CrossFit). They set the policies' thresholds and quantiles, too. With Method::map_heads the
/// heads see the frozen maps and are fitted once: nothing below them learns. Method::network_share
/// blends the teacher's log-probabilities in. Throws std::runtime_error where a class has fewer
/// labels than folds.
std::unique_ptr<PseudoLabeller> make_pseudo_labeller(const Method& method,
                                                     ThresholdPolicy& thresholds,
                                                     NegativePolicy& negatives,
                                                     const CrossFitSource& source);

}  // namespace fer
