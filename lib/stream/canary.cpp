#include "stream/canary.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "stream/count_predictions.h"
#include "stream/teacher.h"

namespace fer {
namespace {

constexpr std::int64_t kChunk = 64;

}  // namespace

Verdict judge(const CanaryScore& candidate, const CanaryScore& serving, const CanaryScore& source,
              double margin, double rollback_margin) {
  const double lost =
      std::max(std::max(serving.macro_recall, source.macro_recall) - candidate.macro_recall,
               std::max(serving.accuracy, source.accuracy) - candidate.accuracy);
  if (!std::isfinite(candidate.macro_recall + candidate.accuracy) || lost > rollback_margin)
    return Verdict::kRollBack;
  return lost > margin ? Verdict::kKeep : Verdict::kPromote;
}

Canary::Canary(const LabelledFaces& faces, Network& network, const ModelInfo& model, int per_class,
               std::uint64_t seed)
    : names_(model.labels),
      prior_(model.prior),
      split_point_(static_cast<std::size_t>(faces.split_point())) {
  const std::vector<std::size_t> rows = balanced_rows(faces.labels(), per_class, seed);
  std::vector<torch::Tensor> parts;
  for (std::size_t i = 0; i < rows.size(); i += kChunk) {
    const auto part = std::span(rows).subspan(i, std::min<std::size_t>(kChunk, rows.size() - i));
    parts.push_back(faces.activations(part, network, nullptr));
  }
  activations_ = torch::cat(parts);
  std::vector<std::int64_t> wanted;
  for (std::size_t row : rows) wanted.push_back(faces.labels()[row]);
  labels_ = torch::tensor(wanted, torch::kLong);
}

CanaryScore Canary::score(Network& network) const {
  const Confusion counts = confusion(network);
  double right = 0, all = 0;
  for (std::size_t k = 0; k < prior_.size(); ++k) {
    const double recall = counts.recall(static_cast<int>(k));
    if (!std::isfinite(recall)) continue;  // a class without faces here
    right += prior_[k] * recall;
    all += prior_[k];
  }
  return {counts.macro_recall(), all > 0 ? right / all : 0};
}

template <typename See>
void Canary::ask(Network& network, See&& see) const {
  torch::NoGradGuard no_grad;
  for (std::int64_t i = 0; i < size(); i += kChunk) {
    const std::int64_t n = std::min(kChunk, size() - i);
    see(network->head_blocks(activations_.narrow(0, i, n), split_point_).to(torch::kCPU),
        labels_.narrow(0, i, n));
  }
}

Confusion Canary::confusion(Network& network) const {
  Confusion confusion(names_);
  ask(network, [&](const torch::Tensor& logits, const torch::Tensor& labels) {
    count_predictions(logits, labels, confusion);
  });
  return confusion;
}

std::vector<LabelledAnswer> Canary::answers(Network& network, double prior_correction) const {
  const torch::Tensor shift = fer::prior_correction(prior_, prior_correction);
  std::vector<LabelledAnswer> all;
  ask(network, [&](const torch::Tensor& logits, const torch::Tensor& labels) {
    const auto [probability, predicted] = torch::softmax(logits - shift, 1).max(1);
    for (std::int64_t i = 0; i < labels.size(0); ++i) {
      const auto label = predicted[i].item<std::int64_t>();
      all.push_back({static_cast<int>(label), probability[i].item<float>(),
                     label == labels[i].item<std::int64_t>()});
    }
  });
  return all;
}

float Canary::doubt(Network& network, double share) const {
  std::vector<double> weight_of(prior_.begin(), prior_.end());
  const torch::Tensor counts =
      torch::bincount(labels_, {}, static_cast<std::int64_t>(prior_.size()));
  for (std::size_t k = 0; k < weight_of.size(); ++k)
    weight_of[k] /=
        std::max<std::int64_t>(1, counts[static_cast<std::int64_t>(k)].item<std::int64_t>());
  std::vector<std::pair<float, double>> answers;  // how sure, and what it counts
  double all = 0;
  ask(network, [&](const torch::Tensor& logits, const torch::Tensor& labels) {
    const torch::Tensor sure = torch::softmax(logits, 1).amax(1);
    for (std::int64_t i = 0; i < sure.size(0); ++i) {
      const double weight = weight_of[static_cast<std::size_t>(labels[i].item<std::int64_t>())];
      // No number cannot be sorted: a broken network is sure of nothing.
      const float answer = sure[i].item<float>();
      answers.emplace_back(std::isfinite(answer) ? answer : 0, weight);
      all += weight;
    }
  });
  std::sort(answers.begin(), answers.end());
  double below = 0;
  for (const auto& [sure, weight] : answers) {
    below += weight;
    if (below > share * all) return sure;
  }
  return answers.empty() ? 0 : answers.back().first;
}

}  // namespace fer
