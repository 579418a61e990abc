#include "evaluation/feature_evaluation.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "learn/features/feature_file.h"

namespace fer {
namespace {

constexpr int kSteps = 15;  ///< Of a tenth.

}  // namespace

SplitLogits split_logits(const std::filesystem::path& model, const PackedDataset& data,
                         const std::string& split) {
  SplitLogits rows;
  rows.names = data.info().labels;
  std::vector<std::size_t> places;
  for (const std::size_t row : data.rows(split)) {
    if (data.duplicate(row) || data.label(row) < 0) continue;
    places.push_back(row);
    rows.labels.push_back(data.label(row));
    if (const auto name = data.image(row); !name.empty()) rows.images.emplace_back(name);
  }
  if (places.empty())
    throw std::runtime_error(data.name() + ": expected labelled rows in split " + split);
  rows.logits = feature_logits(model, data, places);
  return rows;
}

Confusion corrected_confusion(const SplitLogits& rows, const std::vector<double>& mix,
                              double gamma) {
  Confusion confusion(rows.names);
  const std::size_t classes = rows.names.size();
  std::vector<double> shift(classes, 0);
  // A class that the mix has not at all is not to be ruled out by that.
  for (std::size_t k = 0; k < classes && gamma != 0; ++k)
    shift[k] = gamma * std::log(std::max(mix[k], 1e-4));
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    std::size_t best = 0;
    const auto score = [&](std::size_t k) { return rows.logits[i * classes + k] + shift[k]; };
    for (std::size_t k = 1; k < classes; ++k)
      if (score(k) > score(best)) best = k;
    confusion.add(rows.labels[i], static_cast<int>(best));
  }
  return confusion;
}

Predictions predictions_of(const SplitLogits& rows) {
  Predictions all;
  all.classes = rows.names;
  const std::size_t classes = rows.names.size();
  std::vector<float> shares(classes);
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    const float* z = rows.logits.data() + i * classes;
    const float top = *std::max_element(z, z + classes);
    for (std::size_t k = 0; k < classes; ++k) shares[k] = std::exp(z[k] - top);
    all.add(i < rows.images.size() ? rows.images[i] : "", rows.labels[i], shares, "");
  }
  return all;
}

std::vector<double> mix_of(const SplitLogits& rows) {
  std::vector<double> mix(rows.names.size(), 0);
  for (const int label : rows.labels)
    mix[static_cast<std::size_t>(label)] += 1 / static_cast<double>(rows.labels.size());
  return mix;
}

std::vector<CorrectedScore> correction_curve(const SplitLogits& rows,
                                             const std::vector<double>& mix) {
  std::vector<CorrectedScore> curve;
  for (int i = 0; i <= kSteps; ++i) {
    const double gamma = i / 10.0;
    const Confusion confusion = corrected_confusion(rows, mix, gamma);
    curve.push_back({gamma, confusion.accuracy(), confusion.macro_recall()});
  }
  return curve;
}

const CorrectedScore& best_correction(const std::vector<CorrectedScore>& curve) {
  return *std::max_element(curve.begin(), curve.end(),
                           [](const CorrectedScore& a, const CorrectedScore& b) {
                             return a.accuracy + a.macro_recall < b.accuracy + b.macro_recall;
                           });
}

}  // namespace fer
