// How well a model meets the labels of a dataset.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "evaluation/predictions.h"
#include "learn/data/packed_dataset.h"
#include "learn/evaluation/metrics.h"
#include "model/classifier.h"

namespace fer {

struct EvalSettings {
  std::string split = {};                 ///< Empty: all rows.
  std::vector<std::string> classes = {};  ///< Rows of others are left out; empty: the data's.
  bool keep_duplicates = false;           ///< Count rows whose pixels stand in another row too.
  double prior_correction = kModelsPriorCorrection;  ///< See to_probabilities().
  /// Faces that are classified together. More than one takes less time in all, and leaves nothing
  /// to say of a face's time.
  std::size_t batch = 1;
  std::string model_name = {}, data_name = {};  ///< For messages.
};

struct Evaluation {
  Confusion confusion;
  Predictions predictions = {};        ///< What the confusion matrix counts.
  std::vector<std::size_t> rows = {};  ///< The dataset's row of each face of the predictions.
  bool restricted = false;  ///< Predictions were taken among fewer classes than the model knows.
  std::size_t aligned = 0;  ///< Of the rows counted.
  /// Rows left out: pixels that stand elsewhere, no single majority, a class that is not asked for.
  std::size_t duplicates = 0, unlabelled = 0, other_classes = 0;
  /// Medians over all faces, each classified alone as a stream would: by the clock, and of CPU time
  /// (which other programs on the machine disturb less). 0 where more than one are taken together.
  double ms_per_face = 0, cpu_ms_per_face = 0;
};

/// The split as the dataset calls it: its own name first, then the usual one (canonical_split()).
std::string split_name(const PackedDataset& data, const std::string& split);

/// Throws std::runtime_error, naming both files, where the model takes other crops than the dataset
/// holds.
void require_fit(const ModelInfo& model, const std::string& model_name, const PackedInfo& data,
                 const std::string& data_name);

/// Throws what evaluate() would throw for a model of these labels and crops: where the split is not
/// there, a class is not known, or no row is left.
void require_measurable(const ModelInfo& model, const PackedDataset& data,
                        const EvalSettings& settings);

/// Classifies the rows of the dataset. Classes are matched by canonical_label(); the
/// prediction is the likeliest of the classes that are counted, and probabilities are those among
/// them: they sum to 1. Throws std::runtime_error for a
/// class that the model does not know, a split that is not there, and where no row is left;
/// Interrupted.
Evaluation evaluate(const Classifier& classifier, const PackedDataset& data,
                    const EvalSettings& settings,
                    const std::function<void(std::size_t done, std::size_t all)>& on_progress);

}  // namespace fer
