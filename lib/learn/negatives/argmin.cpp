#include <torch/torch.h>

#include "learn/negatives/negative_policies.h"

namespace fer {
namespace {

/// S(u) = the one class that the teacher thinks least likely, for rows that are not accepted.
///
/// Negative learning with one complementary label (NLNL: Kim et al., ICCV 2019, arXiv 1908.07387),
/// the label taken where the teacher is surest rather than at random.
class Argmin : public NegativePolicy {
 public:
  torch::Tensor select(const NegativeStep& step) const override {
    const torch::Tensor lowest = step.teacher.argmin(1, /*keepdim=*/true);
    const torch::Tensor chosen =
        torch::zeros_like(step.teacher, torch::kBool).scatter(1, lowest, 1);
    return chosen & (step.teacher < step.teacher.amax(1, /*keepdim=*/true)) &
           ~step.accepted.unsqueeze(1);
  }
};

}  // namespace

std::unique_ptr<NegativePolicy> make_argmin(PolicyOptions&, int) {
  return std::make_unique<Argmin>();
}

}  // namespace fer
