#include <torch/torch.h>

#include "learn/negatives/negative_policies.h"

namespace fer {
namespace {

/// S(u) = all classes but the teacher's k likeliest, for all rows, accepted or not; k >= 2 is the
/// smallest number at which the teacher's label of every row of the step is among the k likeliest
/// of the strong view: top-k agreement of the two views is then complete.
///
/// FullMatch (its adaptive negative learning): Chen et al., CVPR 2023, arXiv 2303.11066. Its
/// entropy meaning loss is another loss, and is not here.
class FullMatch : public NegativePolicy {
 public:
  torch::Tensor select(const NegativeStep& step) const override {
    if (step.teacher.size(0) == 0) return torch::zeros_like(step.teacher, torch::kBool);
    const torch::Tensor label = step.teacher.argmax(1, /*keepdim=*/true);
    // Classes that the strong view thinks likelier than the teacher's label, in the worst row.
    const torch::Tensor likelier = (step.student > step.student.gather(1, label)).sum(1).max();
    const torch::Tensor k = (likelier + 1).clamp_min(2);
    // 0 for the teacher's likeliest class, C − 1 for the least likely.
    const torch::Tensor rank =
        step.teacher.argsort(1, /*descending=*/true).argsort(1, /*descending=*/false);
    return rank >= k;
  }
};

}  // namespace

std::unique_ptr<NegativePolicy> make_fullmatch(PolicyOptions&, int) {
  return std::make_unique<FullMatch>();
}

}  // namespace fer
