#include "learn/features/fit_face_gate.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "learn/linear/logistic_regression.h"

namespace fer {
namespace {

constexpr std::size_t kTiles = 9;

/// An order of nine tiles in which none is at its own place.
std::array<std::size_t, kTiles> derangement(Random& random) {
  std::array<std::size_t, kTiles> order{};
  std::iota(order.begin(), order.end(), 0);
  // Sattolo's algorithm: one cycle through all of them.
  for (std::size_t i = kTiles - 1; i > 0; --i) std::swap(order[i], order[random.below(i)]);
  return order;
}

}  // namespace

std::vector<std::uint8_t> non_face(std::span<const std::uint8_t> crop, int channels, int side,
                                   NonFace kind, Random random) {
  const auto s = static_cast<std::size_t>(side);
  std::vector<std::uint8_t> out(crop.begin(), crop.end());
  const std::size_t tile = s / 3;
  const auto order = derangement(random);
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    const std::size_t plane = c * s * s;
    if (kind == NonFace::kUpsideDown) {
      for (std::size_t y = 0; y < s; ++y)
        std::copy_n(crop.begin() + static_cast<std::ptrdiff_t>(plane + (s - 1 - y) * s), s,
                    out.begin() + static_cast<std::ptrdiff_t>(plane + y * s));
      continue;
    }
    for (std::size_t to = 0; to < kTiles; ++to) {
      const std::size_t from = order[to];
      for (std::size_t y = 0; y < tile; ++y) {
        const std::size_t source = plane + (from / 3 * tile + y) * s + from % 3 * tile;
        const std::size_t target = plane + (to / 3 * tile + y) * s + to % 3 * tile;
        std::copy_n(crop.begin() + static_cast<std::ptrdiff_t>(source), tile,
                    out.begin() + static_cast<std::ptrdiff_t>(target));
      }
    }
  }
  return out;
}

FittedFaceGate fit_face_gate(const torch::Tensor& faces, const torch::Tensor& copies,
                             const FaceGateConfig& config) {
  const std::int64_t n = faces.size(0), d = faces.size(1), views = copies.size(0);
  if (n < config.folds) {
    throw std::runtime_error("face gate: expected at least " + std::to_string(config.folds) +
                             " labelled faces, one for each fold, found " + std::to_string(n));
  }
  const torch::Tensor fold = torch::arange(n, torch::kLong).remainder(config.folds);
  torch::Tensor weight = torch::zeros({d}, torch::kDouble),
                scores = torch::empty({n}, torch::kDouble),
                of_copies = torch::empty({views, n}, torch::kDouble);
  double bias = 0;
  for (int k = 0; k < config.folds; ++k) {
    const torch::Tensor in = (fold != k).nonzero().squeeze(1),
                        out = (fold == k).nonzero().squeeze(1);
    const torch::Tensor others = copies.index_select(1, in).reshape({-1, d});
    const torch::Tensor rows = torch::cat({faces.index_select(0, in), others});
    const torch::Tensor labels = torch::cat(
        {torch::ones({in.size(0)}, torch::kLong), torch::zeros({others.size(0)}, torch::kLong)});
    // Faces count as much as all of their copies.
    const torch::Tensor counts =
        torch::cat({torch::full({in.size(0)}, static_cast<double>(views), torch::kDouble),
                    torch::ones({others.size(0)}, torch::kDouble)});
    LogisticRegressionConfig fit;
    fit.l2 = config.l2;
    const auto head = LogisticRegression::fit(rows, labels, 2, fit, counts);
    const torch::Tensor w = head.weight()[1] - head.weight()[0];
    const double b = (head.bias()[1] - head.bias()[0]).item<double>();
    scores.index_copy_(0, out, faces.index_select(0, out).to(torch::kDouble).mv(w) + b);
    of_copies.index_copy_(1, out, copies.index_select(1, out).to(torch::kDouble).matmul(w) + b);
    weight += w / config.folds;
    bias += b / config.folds;
  }
  const torch::Tensor sorted = std::get<0>(scores.sort());
  const auto rank = static_cast<std::int64_t>(std::floor(config.quantile * static_cast<double>(n)));
  const double line = sorted[std::min(rank, n - 1)].item<double>();

  FittedFaceGate fitted;
  const torch::Tensor kept = weight.to(torch::kFloat).contiguous();
  fitted.gate.weight.assign(kept.data_ptr<float>(), kept.data_ptr<float>() + d);
  fitted.gate.bias = static_cast<float>(bias);
  fitted.gate.line = static_cast<float>(line);
  fitted.faces_kept = (scores >= line).to(torch::kDouble).mean().item<double>();
  fitted.non_faces_accepted = (of_copies >= line).to(torch::kDouble).mean().item<double>();
  return fitted;
}

torch::Tensor pooled_maps(const torch::Tensor& maps, int grid) {
  return torch::adaptive_avg_pool2d(maps.to(torch::kFloat), {grid, grid}).flatten(1);
}

torch::Tensor accepted_by(const FaceGate& gate, const torch::Tensor& pooled) {
  const torch::Tensor weight =
      torch::tensor(torch::ArrayRef<float>(gate.weight.data(), gate.weight.size()));
  return pooled.to(torch::kFloat).mv(weight) + gate.bias >= gate.line;
}

}  // namespace fer
