#include "stream/canary.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

namespace fer {
namespace {

constexpr std::int64_t kChunk = 64;

}  // namespace

Verdict judge(double candidate, double serving, double source, double margin,
              double rollback_margin) {
  const double reference = std::max(serving, source);
  if (!std::isfinite(candidate) || candidate < reference - rollback_margin)
    return Verdict::kRollBack;
  return candidate < reference - margin ? Verdict::kKeep : Verdict::kPromote;
}

Canary::Canary(const LabelledFaces& faces, Network& network, const std::vector<std::string>& labels,
               int per_class, std::uint64_t seed)
    : names_(labels), cut_(static_cast<std::size_t>(faces.cut())) {
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

Confusion Canary::score(Network& network) const {
  torch::NoGradGuard no_grad;
  Confusion confusion(names_);
  for (std::int64_t i = 0; i < size(); i += kChunk) {
    const std::int64_t n = std::min(kChunk, size() - i);
    const torch::Tensor logits = network->upper(activations_.narrow(0, i, n), cut_);
    const torch::Tensor predicted = logits.argmax(1);
    for (std::int64_t j = 0; j < n; ++j)
      confusion.add(static_cast<int>(labels_[i + j].item<std::int64_t>()),
                    static_cast<int>(predicted[j].item<std::int64_t>()));
  }
  return confusion;
}

}  // namespace fer
