#include "evaluation/labelled_logits.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "evaluation/class_names.h"
#include "evaluation/evaluation.h"
#include "terminal/interrupt.h"

namespace fer {
namespace {

constexpr std::size_t kBatch = 64;

/// The share of the votes of each of the model's classes; empty where it has none.
std::vector<float> shares_of(std::span<const float> votes, const std::vector<int>& output_of_label,
                             std::size_t classes) {
  std::vector<float> shares(classes);
  float sum = 0;
  for (std::size_t k = 0; k < votes.size(); ++k) {
    if (output_of_label[k] < 0) continue;
    shares[static_cast<std::size_t>(output_of_label[k])] += votes[k];
    sum += votes[k];
  }
  if (!(sum > 0)) return {};
  for (float& share : shares) share /= sum;
  return shares;
}

Clusters clusters_of(const PackedDataset& data, const std::vector<std::size_t>& rows) {
  Clusters clusters;
  std::map<std::int64_t, std::uint32_t> known;
  for (const std::size_t row : rows) {
    auto cluster = static_cast<std::uint32_t>(clusters.count);
    if (data.person(row) >= 0) cluster = known.emplace(data.person(row), cluster).first->second;
    clusters.of_face.push_back(cluster);
    if (cluster == clusters.count) ++clusters.count;
  }
  return clusters;
}

}  // namespace

LabelledLogits labelled_logits(const Classifier& classifier, const std::string& model_name,
                               const PackedDataset& data, const std::string& data_name,
                               const std::string& split, CalibrationTarget target,
                               const std::function<void(std::size_t, std::size_t)>& on_progress) {
  const ModelInfo& model = classifier.info();
  require_fit(model, model_name, data.info(), data_name);
  const std::size_t classes = model.labels.size();
  std::vector<int> output_of_label;
  for (const std::string& label : data.info().labels)
    output_of_label.push_back(class_index(model.labels, label));

  LabelledLogits faces;
  faces.data.classes = classes;
  for (const std::size_t row : data.rows(split_name(data, split))) {
    const int label = data.label(row);
    const int output = label < 0 ? -1 : output_of_label[static_cast<std::size_t>(label)];
    if (data.duplicate(row)) {
      ++faces.duplicates;
      continue;
    }
    if (label >= 0 && output < 0) {
      ++faces.other_classes;
      continue;
    }
    std::vector<float> wanted;
    if (target == CalibrationTarget::kVotes) {
      wanted = shares_of(data.votes(row), output_of_label, classes);
    } else if (output >= 0) {
      wanted.assign(classes, 0);
      wanted[static_cast<std::size_t>(output)] = 1;
    }
    if (wanted.empty()) {
      ++faces.unlabelled;
      continue;
    }
    faces.data.targets.insert(faces.data.targets.end(), wanted.begin(), wanted.end());
    faces.labels.push_back(output);
    faces.rows.push_back(row);
  }
  if (faces.rows.empty())
    throw std::runtime_error(data_name + ": no labelled row is left to calibrate on");
  faces.data.clusters = clusters_of(data, faces.rows);

  std::vector<std::uint8_t> crops;
  for (std::size_t first = 0; first < faces.rows.size(); first += kBatch) {
    stop_if_requested();
    on_progress(first, faces.rows.size());
    crops.clear();
    for (std::size_t i = first; i < std::min(first + kBatch, faces.rows.size()); ++i) {
      const auto crop = data.crop(faces.rows[i]);
      crops.insert(crops.end(), crop.begin(), crop.end());
    }
    const std::vector<float> logits = classifier.logits(crops);
    faces.data.logits.insert(faces.data.logits.end(), logits.begin(), logits.end());
  }
  return faces;
}

Predictions predictions_from(const LabelledLogits& faces, std::vector<float> logits,
                             const ModelInfo& model, double prior_correction) {
  to_probabilities(logits, model, prior_correction);
  Predictions predictions;
  predictions.classes = model.labels;
  predictions.prior = model.prior;
  const std::size_t classes = model.labels.size();
  for (std::size_t i = 0; i < faces.labels.size(); ++i) {
    if (faces.labels[i] < 0) continue;
    predictions.add("", faces.labels[i], std::span(logits).subspan(i * classes, classes),
                    std::to_string(faces.data.clusters.of_face[i]));
  }
  return predictions;
}

}  // namespace fer
