#include "learn/semi/out_of_fold.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "util/wilson_lower_bound.h"

namespace fer {
namespace {

/// Above any confidence.
constexpr double kNoRow = 2;

struct Prediction {
  double confidence, weight;
  bool right;
};

/// Of the rows that are predicted as each class, the surest first.
std::vector<std::vector<Prediction>> by_prediction(const OutOfFold& rows,
                                                   std::span<const double> mix) {
  const auto classes = static_cast<std::size_t>(rows.classes);
  std::vector<double> count(classes, 0), weight(classes, 1);
  for (const int label : rows.labels) ++count[static_cast<std::size_t>(label)];
  const auto n = static_cast<double>(rows.rows());
  for (std::size_t k = 0; k < mix.size(); ++k) weight[k] = count[k] > 0 ? mix[k] * n / count[k] : 0;
  std::vector<std::vector<Prediction>> predicted(classes);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto p = rows.row(i);
    const auto best = std::max_element(p.begin(), p.end());
    const auto label = static_cast<std::size_t>(rows.labels[i]);
    const auto guess = static_cast<std::size_t>(best - p.begin());
    predicted[guess].push_back({*best, weight[label], guess == label});
  }
  for (auto& one : predicted) {
    std::stable_sort(one.begin(), one.end(), [](const Prediction& a, const Prediction& b) {
      return a.confidence > b.confidence;
    });
  }
  return predicted;
}

double threshold_of(const std::vector<Prediction>& surest_first, const PrecisionTarget& target) {
  double right = 0, all = 0, squares = 0, threshold = kNoRow;
  for (std::size_t i = 0; i < surest_first.size(); ++i) {
    const Prediction& one = surest_first[i];
    all += one.weight;
    squares += one.weight * one.weight;
    if (one.right) right += one.weight;
    // Rows of the same confidence are accepted together.
    if (i + 1 < surest_first.size() && surest_first[i + 1].confidence == one.confidence) continue;
    if (all <= 0) continue;
    // Rows that count unequally tell as much as (Σw)² / Σw² equal ones (Kish 1965).
    const double trials = all * all / squares;
    if (wilson_lower_bound(right / all * trials, trials, target.z) >= target.rho)
      threshold = one.confidence;
  }
  if (threshold != kNoRow || surest_first.empty() || target.top <= 0) return threshold;
  const auto kept =
      static_cast<std::size_t>(std::ceil(target.top * static_cast<double>(surest_first.size())));
  return surest_first[kept - 1].confidence;
}

/// Mean log-likelihood of the labels at a temperature.
double likelihood_at(const OutOfFold& rows, double temperature) {
  const std::vector<double> p = tempered(rows.probabilities, rows.classes, temperature);
  double sum = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i)
    sum += std::log(std::max(
        p[i * static_cast<std::size_t>(rows.classes) + static_cast<std::size_t>(rows.labels[i])],
        1e-300));
  return sum;
}

}  // namespace

std::vector<double> precision_thresholds(const OutOfFold& rows, const PrecisionTarget& target,
                                         std::span<const double> mix) {
  std::vector<double> thresholds;
  for (const auto& predicted : by_prediction(rows, mix))
    thresholds.push_back(threshold_of(predicted, target));
  return thresholds;
}

std::vector<double> conformal_quantiles(const OutOfFold& rows, double alpha) {
  std::vector<std::vector<double>> of_truth(static_cast<std::size_t>(rows.classes));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto label = static_cast<std::size_t>(rows.labels[i]);
    of_truth[label].push_back(rows.row(i)[label]);
  }
  std::vector<double> quantiles;
  for (auto& values : of_truth) {
    const auto rank =
        static_cast<std::size_t>(std::floor(alpha * static_cast<double>(values.size() + 1) + 1e-9));
    if (rank == 0 || values.empty()) {
      quantiles.push_back(0);
      continue;
    }
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::min(rank, values.size()) - 1);
    std::nth_element(values.begin(), at, values.end());
    quantiles.push_back(*at);
  }
  return quantiles;
}

double fitted_temperature(const OutOfFold& rows) {
  if (rows.rows() == 0) return 1;
  // The likelihood has one peak over 1/T; over log T, too: golden-section search.
  const double golden = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(0.05), high = std::log(20.0);
  double a = high - golden * (high - low), b = low + golden * (high - low);
  double at_a = likelihood_at(rows, std::exp(a)), at_b = likelihood_at(rows, std::exp(b));
  while (high - low > 1e-4) {
    if (at_a > at_b) {
      high = b;
      b = a;
      at_b = at_a;
      a = high - golden * (high - low);
      at_a = likelihood_at(rows, std::exp(a));
    } else {
      low = a;
      a = b;
      at_a = at_b;
      b = low + golden * (high - low);
      at_b = likelihood_at(rows, std::exp(b));
    }
  }
  return std::exp((low + high) / 2);
}

std::vector<double> tempered(std::span<const double> probabilities, int classes,
                             double temperature) {
  std::vector<double> out(probabilities.size());
  const auto width = static_cast<std::size_t>(classes);
  for (std::size_t first = 0; first < out.size(); first += width) {
    const auto row = probabilities.subspan(first, width);
    const double top = std::log(std::max(*std::max_element(row.begin(), row.end()), 1e-300));
    double sum = 0;
    for (std::size_t k = 0; k < width; ++k) {
      out[first + k] = std::exp((std::log(std::max(row[k], 1e-300)) - top) / temperature);
      sum += out[first + k];
    }
    for (std::size_t k = 0; k < width; ++k) out[first + k] /= sum;
  }
  return out;
}

std::vector<double> estimated_mix(std::span<const double> probabilities,
                                  std::span<const double> known, double prior) {
  const std::size_t classes = known.size(), rows = probabilities.size() / classes;
  std::vector<double> mix(known.begin(), known.end());
  if (rows == 0) return mix;
  for (int round = 0; round < 200; ++round) {
    const std::vector<double> posterior = under_mix(probabilities, known, mix);
    std::vector<double> next(classes, 0);
    for (std::size_t i = 0; i < posterior.size(); ++i) next[i % classes] += posterior[i];
    double moved = 0;
    for (std::size_t k = 0; k < classes; ++k) {
      next[k] = prior * known[k] + (1 - prior) * next[k] / static_cast<double>(rows);
      moved = std::max(moved, std::abs(next[k] - mix[k]));
    }
    mix = std::move(next);
    if (moved < 1e-6) break;
  }
  return mix;
}

std::vector<double> under_mix(std::span<const double> probabilities, std::span<const double> from,
                              std::span<const double> to) {
  const std::size_t classes = from.size();
  std::vector<double> out(probabilities.begin(), probabilities.end());
  for (std::size_t first = 0; first < out.size(); first += classes) {
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) {
      out[first + k] *= from[k] > 0 ? to[k] / from[k] : 0;
      sum += out[first + k];
    }
    for (std::size_t k = 0; k < classes && sum > 0; ++k) out[first + k] /= sum;
  }
  return out;
}

}  // namespace fer
