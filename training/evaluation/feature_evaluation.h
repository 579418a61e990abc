// How well a model meets the labels of a dataset whose features are at hand: its frozen half need
// not run again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "evaluation/predictions.h"
#include "learn/data/packed_dataset.h"
#include "learn/evaluation/metrics.h"

namespace fer {

/// A model's logits of labelled rows, with their labels.
struct SplitLogits {
  std::vector<std::string> names;        ///< Of the classes.
  std::vector<float> logits;             ///< N x C.
  std::vector<int> labels;               ///< N.
  std::vector<std::string> images = {};  ///< N: their names; empty where the dataset has none.
};

/// The logits of a split's rows that count in accuracy (no duplicates, one majority label), made of
/// the plain maps in the dataset's file. Throws what feature_logits() throws, and
/// std::runtime_error where there is no such row.
SplitLogits split_logits(const std::filesystem::path& model, const PackedDataset& data,
                         const std::string& split);

/// The confusion of the likeliest classes under logits + γ · log(mix), mix (C) being the share of
/// each class. With γ = 0 the outputs are taken as they are.
Confusion corrected_confusion(const SplitLogits& rows, const std::vector<double>& mix,
                              double gamma);

/// What the logits say without a prior correction, face by face.
Predictions predictions_of(const SplitLogits& rows);

/// The share of each class among the rows.
std::vector<double> mix_of(const SplitLogits& rows);

/// One constant prior correction and what it gives.
struct CorrectedScore {
  double gamma = 0, accuracy = 0, macro_recall = 0;
};

/// γ = 0, 0.1, …, 1.5, each with its scores on the rows.
std::vector<CorrectedScore> correction_curve(const SplitLogits& rows,
                                             const std::vector<double>& mix);

/// The correction with the largest mean of accuracy and macro recall; the smallest such γ.
const CorrectedScore& best_correction(const std::vector<CorrectedScore>& curve);

}  // namespace fer
