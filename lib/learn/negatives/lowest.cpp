#include <torch/torch.h>

#include <algorithm>

#include "learn/negatives/negative_policies.h"

namespace fer {
namespace {

/// S(u) = the n classes that the teacher thinks least likely, for rows that are not accepted; n
/// = 3.
///
/// The plain rule that the selective ones must beat: complementary labels (Ishida et al., NeurIPS
/// 2017, arXiv 1705.07541) taken from the lower end of a prediction.
class Lowest : public NegativePolicy {
 public:
  explicit Lowest(std::int64_t count) : count_(count) {}

  torch::Tensor select(const NegativeStep& step) const override {
    const torch::Tensor lowest =
        std::get<1>(step.teacher.topk(count_, 1, /*largest=*/false, /*sorted=*/false));
    const torch::Tensor chosen =
        torch::zeros_like(step.teacher, torch::kBool).scatter(1, lowest, 1);
    return chosen & (step.teacher < step.teacher.amax(1, /*keepdim=*/true)) &
           ~step.accepted.unsqueeze(1);
  }

 private:
  const std::int64_t count_;
};

}  // namespace

std::unique_ptr<NegativePolicy> make_lowest(PolicyOptions& options, int classes) {
  const int most = classes - 1;
  return std::make_unique<Lowest>(
      static_cast<std::int64_t>(options.get("n", std::min(3, most), 1, most)));
}

}  // namespace fer
