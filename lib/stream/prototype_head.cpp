#include "stream/prototype_head.h"

#include <algorithm>

#include "stream/teacher.h"

namespace fer {
namespace {

/// Rows scaled to length 1.
torch::Tensor directions(const torch::Tensor& rows) {
  return rows / rows.norm(2, 1, /*keepdim=*/true).clamp_min(1e-12);
}

/// How far logits lie apart within a row, over all rows.
double spread_of(const torch::Tensor& logits) {
  return (logits - logits.mean(1, /*keepdim=*/true)).square().mean().sqrt().item<double>();
}

}  // namespace

PrototypeHead make_prototype_head(const LinearHead& source, const std::vector<float>& prior,
                                  const torch::Tensor& features, const PrototypeConfig& config) {
  torch::NoGradGuard no_grad;
  const torch::Tensor logits = source.logits(features);
  const auto [confidence, label] =
      torch::softmax(logits + prior_correction(prior, config.prior_correction), 1).max(1);
  const torch::Tensor rows = directions(features), own = directions(source.weight);
  PrototypeHead made;
  std::vector<torch::Tensor> prototypes;
  for (std::int64_t k = 0; k < source.weight.size(0); ++k) {
    const torch::Tensor members = torch::nonzero(label == k).view({-1});
    const std::int64_t n = std::min<std::int64_t>(members.size(0), config.per_class);
    const torch::Tensor order = confidence.index_select(0, members).argsort(0, /*descending=*/true);
    const torch::Tensor support = members.index_select(0, order.narrow(0, 0, n));
    const torch::Tensor sum = own[k] + rows.index_select(0, support).sum(0);
    prototypes.push_back(sum);
    made.support.push_back(static_cast<int>(n));
  }
  const torch::Tensor by_prototype = directions(torch::stack(prototypes));
  const double scale =
      spread_of(logits) / std::max(1e-12, spread_of(features.matmul(by_prototype.t())));
  const LinearHead alone{by_prototype * scale, torch::zeros_like(source.bias)};
  made.head = source.towards(alone, config.mix);
  return made;
}

}  // namespace fer
