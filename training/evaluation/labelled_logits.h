// What a model says of the labelled faces of a dataset, before it becomes figures.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "evaluation/fit_calibration.h"
#include "evaluation/predictions.h"
#include "learn/data/packed_dataset.h"
#include "model/classifier.h"

namespace fer {

/// What a face should be said to be.
enum class CalibrationTarget {
  kLabels,  ///< Its one majority label; faces without one are left out.
  kVotes,   ///< The share of the votes that each class has.
};

struct LabelledLogits {
  CalibrationData data;           ///< Clusters are persons where they are known, else faces.
  std::vector<int> labels;        ///< The majority label of each face; -1: none.
  std::vector<std::size_t> rows;  ///< The dataset's row of each face.
  std::size_t duplicates = 0, unlabelled = 0, other_classes = 0;  ///< Rows that were left out.
};

/// Asks the model about the rows of a split; duplicates, faces without a target and faces of
/// classes that the model does not know are left out. Throws std::runtime_error: what require_fit()
/// throws, a split that is not there, no row that is left; Interrupted.
LabelledLogits labelled_logits(
    const Classifier& classifier, const std::string& model_name, const PackedDataset& data,
    const std::string& data_name, const std::string& split, CalibrationTarget target,
    const std::function<void(std::size_t done, std::size_t all)>& on_progress);

/// The predictions that logits mean under the model's prior, for the faces that have a label.
/// `logits`: N x classes, in the order of `faces`.
Predictions predictions_from(const LabelledLogits& faces, std::vector<float> logits,
                             const ModelInfo& model, double prior_correction);

}  // namespace fer
