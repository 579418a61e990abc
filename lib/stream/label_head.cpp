#include "stream/label_head.h"

#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "stream/teacher.h"
#include "util/random.h"

namespace fer {
namespace {

constexpr int kMaxFolds = 5;
constexpr int kIterations = 60;
/// Strengths that are tried, strongest first. Beyond the first the head hardly moves; below the
/// last, a few dozen faces are learnt by heart.
constexpr double kStrengths[] = {30, 10, 3, 1, 0.3};

/// 1 / (classes present · faces of the row's class): the weights of all rows sum to 1.
torch::Tensor balance(const torch::Tensor& labels, std::int64_t classes) {
  const torch::Tensor counts = torch::bincount(labels, {}, classes).to(torch::kFloat);
  const double present = (counts > 0).sum().item<double>();
  return 1 / (counts.index_select(0, labels) * present);
}

torch::Tensor balanced_loss(const torch::Tensor& logits, const torch::Tensor& labels) {
  const torch::Tensor each =
      -torch::log_softmax(logits, 1).gather(1, labels.unsqueeze(1)).squeeze(1);
  return (each * balance(labels, logits.size(1))).sum();
}

LabelledFeatures rows_where(const LabelledFeatures& rows, const torch::Tensor& mask) {
  const torch::Tensor index = torch::nonzero(mask).view({-1});
  return {rows.features.index_select(0, index), rows.labels.index_select(0, index)};
}

}  // namespace

LinearHead fit_label_head(const LinearHead& base, const std::vector<float>& prior,
                          const LabelledFeatures& rows, double strength) {
  const torch::AutoGradMode with_gradients(true);
  const torch::Tensor without_prior = prior_correction(prior, 1);
  const LinearHead start{base.weight, base.bias + without_prior};
  LinearHead head{start.weight.clone().requires_grad_(), start.bias.clone().requires_grad_()};
  torch::optim::LBFGS optimiser(
      std::vector<torch::Tensor>{head.weight, head.bias},
      torch::optim::LBFGSOptions(1).max_iter(kIterations).line_search_fn("strong_wolfe"));
  optimiser.step([&] {
    optimiser.zero_grad();
    const torch::Tensor distance =
        (head.weight - start.weight).square().sum() + (head.bias - start.bias).square().sum();
    torch::Tensor loss =
        balanced_loss(head.logits(rows.features), rows.labels) + strength / 2 * distance;
    loss.backward();
    return loss;
  });
  return {head.weight.detach(), head.bias.detach() - without_prior};
}

std::optional<LabelFit> choose_strength(const LinearHead& base, const std::vector<float>& prior,
                                        const LabelledFeatures& rows, std::uint64_t seed) {
  const torch::Tensor counts = torch::bincount(rows.labels, {}, base.weight.size(0));
  if ((counts >= 2).sum().item<int>() < 2) return std::nullopt;
  // A class of one face is always fitted and never held out.
  const int fewest = counts.masked_select(counts >= 2).min().item<int>();
  LabelFit fit;
  fit.folds = std::clamp(fewest, 2, kMaxFolds);

  std::vector<std::int64_t> order(static_cast<std::size_t>(rows.labels.size(0)));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Random random(seed, 0x6c6162656c73);
  std::shuffle(order.begin(), order.end(), random);
  std::vector<int> seen(static_cast<std::size_t>(base.weight.size(0)));
  torch::Tensor fold_of = torch::full({rows.labels.size(0)}, -1, torch::kLong);
  for (std::int64_t row : order) {
    const auto label = rows.labels[row].item<std::int64_t>();
    if (counts[label].item<int>() >= 2)
      fold_of[row] = seen[static_cast<std::size_t>(label)]++ % fit.folds;
  }

  const torch::Tensor held_out = fold_of >= 0;
  const LabelledFeatures judged = rows_where(rows, held_out);
  const torch::Tensor without_prior = prior_correction(prior, 1);
  fit.base_loss =
      balanced_loss(base.logits(judged.features) + without_prior, judged.labels).item<double>();
  fit.loss = std::numeric_limits<double>::infinity();
  for (const double strength : kStrengths) {
    torch::Tensor logits = torch::empty({rows.labels.size(0), base.weight.size(0)});
    for (int fold = 0; fold < fit.folds; ++fold) {
      const LinearHead head =
          fit_label_head(base, prior, rows_where(rows, fold_of != fold), strength);
      const torch::Tensor index = torch::nonzero(fold_of == fold).view({-1});
      logits.index_copy_(0, index, head.logits(rows.features.index_select(0, index)));
    }
    const LabelledFeatures told = rows_where({logits, rows.labels}, held_out);
    const double loss = balanced_loss(told.features + without_prior, told.labels).item<double>();
    if (loss >= fit.loss) continue;
    fit.loss = loss;
    fit.strength = strength;
  }
  return fit;
}

}  // namespace fer
