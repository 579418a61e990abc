#include "learn/evaluation/knn_probe.h"

#include <torch/torch.h>

#include <algorithm>
#include <limits>

namespace fer {
namespace {

/// The value of Wu et al., which most later work uses.
constexpr double kTemperature = 0.07;
/// Rows per block: a block's similarities to all rows must fit into memory.
constexpr std::int64_t kChunk = 512;

}  // namespace

Confusion knn_probe(const torch::Tensor& features, const std::vector<int>& labels,
                    const std::vector<std::string>& names, int k, bool balanced) {
  torch::NoGradGuard no_grad;
  const torch::Tensor rows = torch::nn::functional::normalize(
      features, torch::nn::functional::NormalizeFuncOptions().p(2).dim(1));
  const std::int64_t n = rows.size(0);
  const std::int64_t near = std::min<std::int64_t>(k, n - 1);
  const torch::Tensor classes = torch::tensor(labels, torch::kLong);
  torch::Tensor weights = torch::ones({static_cast<std::int64_t>(names.size())});
  if (balanced)
    weights /= torch::bincount(classes, {}, static_cast<std::int64_t>(names.size())).clamp_min(1);
  Confusion confusion(names);
  for (std::int64_t first = 0; first < n; first += kChunk) {
    const std::int64_t count = std::min(kChunk, n - first);
    torch::Tensor likeness = rows.narrow(0, first, count).mm(rows.t());
    // A row is no neighbour of itself.
    likeness.diagonal(first).fill_(-std::numeric_limits<float>::infinity());
    const auto [values, indices] = likeness.topk(near, 1);
    torch::Tensor votes = torch::zeros({count, static_cast<std::int64_t>(names.size())});
    votes.scatter_add_(1, classes.index_select(0, indices.flatten()).view({count, near}),
                       torch::exp((values - 1) / kTemperature));
    const torch::Tensor predicted = (votes * weights).argmax(1);
    const auto prediction = predicted.accessor<std::int64_t, 1>();
    for (std::int64_t i = 0; i < count; ++i)
      confusion.add(labels[static_cast<std::size_t>(first + i)], static_cast<int>(prediction[i]));
  }
  return confusion;
}

}  // namespace fer
