#include "learn/semi/epoch_sums.h"

#include <torch/torch.h>

#include "learn/data/ssl_data.h"

namespace fer {
namespace {

using nlohmann::json;

json number_or_null(double numerator, double denominator) {
  return denominator > 0 ? json(numerator / denominator) : json();
}

}  // namespace

EpochSums::EpochSums(std::int64_t classes, torch::Device device)
    : losses(torch::zeros({4}, device)),
      by_class_(torch::zeros({classes, kColumns}, device)),
      by_truth_(torch::zeros({classes, 2}, device)),
      distractors_(torch::zeros({2}, device)),
      negatives_(torch::zeros({3}, device)) {}

void EpochSums::add_losses(const torch::Tensor& all, const torch::Tensor& x,
                           const torch::Tensor& unlabelled) {
  losses += torch::cat({torch::stack({all.detach(), x.detach()}), unlabelled});
}

void EpochSums::add_pseudo_labels(const PseudoLabels& pseudo, const torch::Tensor& truth) {
  const torch::Tensor known = (truth >= 0).to(torch::kFloat);
  const torch::Tensor right = (truth == pseudo.labels).to(torch::kFloat);
  const torch::Tensor& w = pseudo.weights;
  by_class_.index_add_(0, pseudo.labels,
                       torch::stack({torch::ones_like(w), w, w * known, w * right}, 1));
  by_truth_.index_add_(0, truth.clamp_min(0), torch::stack({known, known * w * right}, 1));
  const torch::Tensor distractor = (truth == kDistractor).to(torch::kFloat);
  distractors_ += torch::stack({distractor.sum(), (distractor * w).sum()});
}

void EpochSums::add_negatives(const torch::Tensor& chosen, const torch::Tensor& truth) {
  const torch::Tensor of_truth =
      chosen.gather(1, truth.clamp_min(0).unsqueeze(1)).squeeze(1) & (truth >= 0);
  negatives_ +=
      torch::stack({torch::full({}, static_cast<double>(chosen.size(0)), losses.options()),
                    chosen.sum().to(torch::kFloat), of_truth.sum().to(torch::kFloat)});
}

void EpochSums::gather(ProcessGroup& group) {
  group.average({losses});
  for (torch::Tensor* sums : {&by_class_, &by_truth_, &distractors_, &negatives_}) group.sum(*sums);
}

void EpochSums::write(json& entry, int steps, const std::vector<std::string>& labels,
                      const ThresholdPolicy* policy) const {
  const torch::Tensor losses_here = losses.to(torch::kCPU);
  const auto loss = losses_here.accessor<float, 1>();
  entry["loss"] = loss[0] / static_cast<float>(steps);
  entry["loss_x"] = loss[1] / static_cast<float>(steps);
  if (!policy) return;
  entry["loss_u"] = loss[2] / static_cast<float>(steps);
  entry["loss_n"] = loss[3] / static_cast<float>(steps);
  const torch::Tensor by_class = by_class_.to(torch::kCPU), total = by_class.sum(0);
  const torch::Tensor by_truth = by_truth_.to(torch::kCPU);
  const auto sums = by_class.accessor<float, 2>();
  const auto of_truth = by_truth.accessor<float, 2>();
  const auto all = total.accessor<float, 1>();
  const torch::Tensor thresholds = policy->thresholds();
  for (std::size_t k = 0; k < labels.size(); ++k) {
    const auto c = static_cast<std::int64_t>(k);
    entry["thresholds"][labels[k]] = thresholds[c].item<float>();
    entry["pseudo_labels"][labels[k]] = number_or_null(sums[c][kSeen], all[kSeen]);
    entry["accept_rates"][labels[k]] = number_or_null(sums[c][kWeight], sums[c][kSeen]);
    entry["purities"][labels[k]] = number_or_null(sums[c][kRight], sums[c][kKnown]);
    entry["coverages"][labels[k]] = number_or_null(of_truth[c][1], of_truth[c][0]);
  }
  entry["accept_rate"] = number_or_null(all[kWeight], all[kSeen]);
  entry["purity"] = number_or_null(all[kRight], all[kKnown]);
  const torch::Tensor distractors = distractors_.to(torch::kCPU);
  if (distractors[0].item<float>() > 0)
    entry["distractors_accepted"] =
        number_or_null(distractors[1].item<float>(), distractors[0].item<float>());
  const torch::Tensor negatives_here = negatives_.to(torch::kCPU);
  const auto negative = negatives_here.accessor<float, 1>();
  entry["negatives"] = number_or_null(negative[1], negative[0]);
  entry["negative_errors"] = number_or_null(negative[2], negative[1]);
}

}  // namespace fer
