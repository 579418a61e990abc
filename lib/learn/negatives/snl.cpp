#include <torch/torch.h>

#include "learn/negatives/negative_policies.h"

namespace fer {
namespace {

/// Selective negative learning, for rows that are not accepted:
///
///   S(u) = {k : Σ_{j : q_j <= q_k} q_j <= α  and  p_k >= ε},  α = 0.1, ε = 0.01.
///
/// Selective means both: the first condition leaves plausible classes out, since all classes of
/// S(u) together hold no more than α of the teacher's probability (the more it hesitates, the fewer
/// they are; a calibrated teacher rules the truth out in at most a share α of the rows); the second
/// does not spend the loss on classes that the student has done with.
///
/// Our reconstruction of SNL (Cai et al. 2026, arXiv 2601.05556), of which we know the abstract,
/// not the formulas.
class Snl : public NegativePolicy {
 public:
  Snl(double mass, double floor) : mass_(mass), floor_(floor) {}

  torch::Tensor select(const NegativeStep& step) const override {
    const torch::Tensor& q = step.teacher;
    const auto [sorted, order] = q.sort(1);
    // The probability of each class together with all less likely ones. A small allowance, so that
    // rounding in the sum does not decide.
    const torch::Tensor together = torch::zeros_like(q).scatter(1, order, sorted.cumsum(1));
    return (together <= mass_ + 1e-6) & (q < q.amax(1, /*keepdim=*/true)) &
           (step.student >= floor_) & ~step.accepted.unsqueeze(1);
  }

 private:
  const double mass_, floor_;
};

}  // namespace

std::unique_ptr<NegativePolicy> make_snl(PolicyOptions& options, int) {
  const double mass = options.get("mass", 0.1, 0, 1);
  return std::make_unique<Snl>(mass, options.get("floor", 0.01, 0, 1));
}

}  // namespace fer
