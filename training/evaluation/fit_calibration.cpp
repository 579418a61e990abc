#include "evaluation/fit_calibration.h"

#include <torch/nn/functional/activation.h>
#include <torch/optim/lbfgs.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "network/torch_threads.h"
#include "util/random.h"
#include "util/wilson_lower_bound.h"

namespace fer {
namespace {

/// Keeps these random numbers apart from those that other code draws with the same seed.
constexpr std::uint64_t kPurpose = 0x666f6c64;
constexpr double kMinTemperature = 0.05, kMaxTemperature = 20;

torch::Tensor rows_of(const std::vector<float>& values, std::size_t classes) {
  return torch::from_blob(const_cast<float*>(values.data()),
                          {static_cast<std::int64_t>(values.size() / classes),
                           static_cast<std::int64_t>(classes)})
      .to(torch::kDouble);
}

/// The cross entropy of each row.
torch::Tensor nll_of(const torch::Tensor& logits, const torch::Tensor& targets) {
  return -(targets * torch::log_softmax(logits, 1)).sum(1);
}

/// The faces whose cluster is in the fold, or not in it.
CalibrationData part_of(const CalibrationData& data, const std::vector<int>& fold_of_cluster,
                        int fold, bool inside, std::vector<std::size_t>& faces) {
  CalibrationData part;
  part.classes = data.classes;
  faces.clear();
  for (std::size_t i = 0; i < data.size(); ++i) {
    if ((fold_of_cluster[data.clusters.of_face[i]] == fold) != inside) continue;
    const auto from = static_cast<std::ptrdiff_t>(i * data.classes);
    const auto to = from + static_cast<std::ptrdiff_t>(data.classes);
    part.logits.insert(part.logits.end(), data.logits.begin() + from, data.logits.begin() + to);
    part.targets.insert(part.targets.end(), data.targets.begin() + from, data.targets.begin() + to);
    faces.push_back(i);
  }
  return part;
}

std::vector<int> deal(std::size_t clusters, int folds, std::uint64_t seed) {
  std::vector<int> fold(clusters);
  for (std::size_t i = 0; i < clusters; ++i)
    fold[i] = static_cast<int>(i % static_cast<std::size_t>(folds));
  Random random(seed, kPurpose);
  std::shuffle(fold.begin(), fold.end(), random);
  return fold;
}

/// The standard error of the mean of the values, which are dependent within clusters.
double error_of_mean(const std::vector<double>& values, const Clusters& clusters) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  std::vector<double> sums(clusters.count);
  for (std::size_t i = 0; i < values.size(); ++i) sums[clusters.of_face[i]] += values[i] - mean;
  double squares = 0;
  for (const double sum : sums) squares += sum * sum;
  return std::sqrt(squares) / static_cast<double>(values.size());
}

}  // namespace

Calibration fit_calibration(const CalibrationData& data, bool with_bias) {
  const OneTorchThread one_thread;
  const torch::Tensor logits = rows_of(data.logits, data.classes);
  const torch::Tensor targets = rows_of(data.targets, data.classes);
  const auto doubles = torch::TensorOptions(torch::kDouble).requires_grad(true);
  torch::Tensor inverse = torch::ones({1}, doubles);
  torch::Tensor bias = torch::zeros({static_cast<std::int64_t>(data.classes)}, doubles);
  std::vector<torch::Tensor> parameters{inverse};
  if (with_bias) parameters.push_back(bias);
  torch::optim::LBFGS solver(parameters, torch::optim::LBFGSOptions(1)
                                             .max_iter(200)
                                             .tolerance_grad(1e-8)
                                             .tolerance_change(1e-12)
                                             .line_search_fn("strong_wolfe"));
  solver.step([&] {
    solver.zero_grad();
    torch::Tensor loss = nll_of(logits * inverse + bias, targets).mean() +
                         bias.square().sum() / (2.0 * static_cast<double>(data.size()));
    loss.backward();
    return loss;
  });
  const double scale = inverse.item<double>();
  Calibration calibration;
  calibration.temperature = std::max(1 / scale, kMinTemperature);
  if (!(scale > 0 && calibration.temperature <= kMaxTemperature)) {
    char text[160];
    std::snprintf(text, sizeof text,
                  "expected a model whose logits fit the labels, found one that would need a "
                  "temperature of %g (up to %g is taken)",
                  1 / scale, kMaxTemperature);
    throw std::runtime_error(text);
  }
  if (with_bias) {
    const double* values = bias.data_ptr<double>();
    for (std::size_t k = 0; k < data.classes; ++k)
      calibration.bias.push_back(static_cast<float>(values[k]));
  }
  return calibration;
}

std::vector<float> calibrated(const Calibration& calibration, const std::vector<float>& logits,
                              std::size_t classes) {
  std::vector<float> result = logits;
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<float>(result[i] / calibration.temperature);
    if (!calibration.bias.empty()) result[i] += calibration.bias[i % classes];
  }
  return result;
}

double mean_nll(const std::vector<float>& logits, const std::vector<float>& targets,
                std::size_t classes) {
  const OneTorchThread one_thread;
  return nll_of(rows_of(logits, classes), rows_of(targets, classes)).mean().item<double>();
}

CalibrationChoice choose_calibration(const CalibrationData& data, int folds, std::uint64_t seed,
                                     bool allow_bias) {
  if (data.clusters.count < static_cast<std::size_t>(folds)) {
    throw std::runtime_error("expected at least " + std::to_string(folds) +
                             " independent faces or persons, one per fold, found " +
                             std::to_string(data.clusters.count));
  }
  const std::size_t classes = data.classes;
  const std::vector<int> fold_of_cluster = deal(data.clusters.count, folds, seed);
  std::vector<float> by_temperature(data.logits.size()), by_bias(data.logits.size());
  for (int fold = 0; fold < folds; ++fold) {
    std::vector<std::size_t> faces;
    const CalibrationData rest = part_of(data, fold_of_cluster, fold, /*inside=*/false, faces);
    const CalibrationData held = part_of(data, fold_of_cluster, fold, /*inside=*/true, faces);
    for (auto [with_bias, to] : {std::pair{false, &by_temperature}, {true, &by_bias}}) {
      const auto said = calibrated(fit_calibration(rest, with_bias), held.logits, classes);
      for (std::size_t i = 0; i < faces.size(); ++i) {
        std::copy_n(said.begin() + static_cast<std::ptrdiff_t>(i * classes), classes,
                    to->begin() + static_cast<std::ptrdiff_t>(faces[i] * classes));
      }
    }
  }
  const OneTorchThread one_thread;
  const torch::Tensor targets = rows_of(data.targets, classes);
  const torch::Tensor plain = nll_of(rows_of(by_temperature, classes), targets);
  const torch::Tensor biased = nll_of(rows_of(by_bias, classes), targets);
  const torch::Tensor gain = (plain - biased).contiguous();
  const double* gains = gain.data_ptr<double>();

  CalibrationChoice choice;
  choice.nll_before = mean_nll(data.logits, data.targets, classes);
  choice.nll_temperature = plain.mean().item<double>();
  choice.nll_bias = biased.mean().item<double>();
  choice.bias_gain = gain.mean().item<double>();
  choice.bias_gain_error = error_of_mean({gains, gains + gain.numel()}, data.clusters);
  const bool with_bias = allow_bias && choice.bias_gain > choice.bias_gain_error;
  choice.calibration = fit_calibration(data, with_bias);
  choice.held_out = with_bias ? std::move(by_bias) : std::move(by_temperature);
  return choice;
}

std::vector<float> operating_points(const Predictions& predictions, double precision) {
  const std::size_t classes = predictions.classes.size();
  std::vector<std::vector<std::pair<float, bool>>> answers(classes);  // how sure, and if right
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const auto k = static_cast<std::size_t>(predictions.predicted(i));
    answers[k].emplace_back(predictions.row(i)[k], predictions.truth[i] == static_cast<int>(k));
  }
  std::vector<float> points(classes, std::numeric_limits<float>::infinity());
  for (std::size_t k = 0; k < classes; ++k) {
    auto& own = answers[k];
    std::sort(own.begin(), own.end(),
              [](const auto& a, const auto& b) { return a.first > b.first; });
    double right = 0;
    for (std::size_t i = 0; i < own.size(); ++i) {
      right += own[i].second;
      // Between equal probabilities there is no threshold.
      if (i + 1 < own.size() && own[i + 1].first == own[i].first) continue;
      if (wilson_lower_bound(right, static_cast<double>(i + 1), 1) < precision) continue;
      points[k] = i + 1 == own.size() ? 0 : own[i].first;
    }
  }
  return points;
}

}  // namespace fer
