#include <torch/torch.h>

#include "learn/negatives/negative_policies.h"

namespace fer {
namespace {

/// No negative learning: S(u) is empty, as in FixMatch and its kin.
class None : public NegativePolicy {
 public:
  torch::Tensor select(const NegativeStep& step) const override {
    return torch::zeros_like(step.teacher, torch::kBool);
  }
};

}  // namespace

std::unique_ptr<NegativePolicy> make_none(PolicyOptions&, int) {
  return std::make_unique<None>();
}

}  // namespace fer
