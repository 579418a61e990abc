// Labelled faces by which people see what adaptation does; nothing is learnt from them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "export.h"
#include "learn/data/packed_dataset.h"
#include "learn/evaluation/metrics.h"

namespace fer {

struct ModelFile;

/// Scores many models of one origin on the same faces, without computing anew what they share.
class FER_API WatchedFaces {
 public:
  /// Rows of a split of the dataset (of all, for an empty name) with one majority label, less
  /// duplicates. `classes`: rows of others are left out, and predictions are taken among these;
  /// empty: those that dataset and model both know. `split_point`: residual blocks that all models
  /// share with `source`; nullopt: none are shared, not even the stem. Throws std::runtime_error
  /// where the dataset does not fit the model, has no such split, or no row is left, and for a
  /// class that the model does not know.
  WatchedFaces(const PackedDataset& data, const std::string& split,
               const std::vector<std::string>& classes, const ModelFile& source,
               std::optional<int> split_point);
  ~WatchedFaces();
  WatchedFaces(const WatchedFaces&) = delete;
  WatchedFaces& operator=(const WatchedFaces&) = delete;

  std::size_t size() const;
  /// Of a model with the source's network and, below the split point, its weights.
  /// `prior_correction`: power of its prior that is divided out, as ferinfer's property of this
  /// name.
  Confusion score(const ModelFile& model, double prior_correction = 0);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
