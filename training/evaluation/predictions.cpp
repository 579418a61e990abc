#include "evaluation/predictions.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace fer {
namespace {

void normalise(std::span<float> row) {
  const double sum = std::accumulate(row.begin(), row.end(), 0.0);
  // A row of zeros has no likeliest class to keep.
  if (sum > 0) {
    for (float& p : row) p = static_cast<float>(p / sum);
  } else {
    std::fill(row.begin(), row.end(), 1.f / static_cast<float>(row.size()));
  }
}

}  // namespace

int Predictions::predicted(std::size_t face) const {
  const auto p = row(face);
  return static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin());
}

void Predictions::add(std::string image, int label, std::span<const float> raw,
                      std::string person) {
  images.push_back(std::move(image));
  truth.push_back(label);
  persons.push_back(std::move(person));
  probabilities.insert(probabilities.end(), raw.begin(), raw.end());
  normalise(std::span(probabilities).last(raw.size()));
}

Confusion confusion_of(const Predictions& predictions) {
  Confusion confusion(predictions.classes);
  for (std::size_t i = 0; i < predictions.size(); ++i)
    confusion.add(predictions.truth[i], predictions.predicted(i));
  return confusion;
}

Predictions with_prior_correction(const Predictions& predictions, double more) {
  Predictions corrected = predictions;
  const std::size_t classes = predictions.classes.size();
  std::vector<double> factor(classes);
  for (std::size_t k = 0; k < classes; ++k) factor[k] = std::pow(predictions.prior[k], -more);
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const auto row = std::span(corrected.probabilities).subspan(i * classes, classes);
    for (std::size_t k = 0; k < classes; ++k) row[k] = static_cast<float>(row[k] * factor[k]);
    normalise(row);
  }
  return corrected;
}

Clusters clusters_by_image(const Predictions& predictions) {
  Clusters clusters;
  clusters.count = predictions.size();
  clusters.of_face.resize(clusters.count);
  std::iota(clusters.of_face.begin(), clusters.of_face.end(), 0u);
  return clusters;
}

Clusters clusters_by_person(const Predictions& predictions) {
  Clusters clusters;
  std::unordered_map<std::string, std::uint32_t> known;
  for (const std::string& person : predictions.persons) {
    auto cluster = static_cast<std::uint32_t>(clusters.count);
    if (!person.empty()) cluster = known.emplace(person, cluster).first->second;
    clusters.of_face.push_back(cluster);
    if (cluster == clusters.count) ++clusters.count;
  }
  return clusters;
}

bool knows_persons(const Predictions& predictions) {
  return std::any_of(predictions.persons.begin(), predictions.persons.end(),
                     [](const std::string& person) { return !person.empty(); });
}

}  // namespace fer
