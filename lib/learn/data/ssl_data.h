// The faces of a semi-supervised run: few with labels, many without.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "export.h"
#include "learn/data/face_ref.h"
#include "learn/data/packed_dataset.h"

namespace fer {

/// The datasets to take faces from. They must outlive the SslData that is made of them.
struct SslSources {
  const PackedDataset* labelled = nullptr;       ///< Its split train.
  std::vector<const PackedDataset*> unlabelled;  ///< Split train, or all rows where there is none.
  const PackedDataset* valid = nullptr;          ///< nullptr: split valid of `labelled`.
  int labels_per_class = 0;                      ///< 0: all of split train.
  /// Share of each class's labels to use, in (0, 1]; read where `labels_per_class` is 0.
  double label_share = 1;
  /// True: a class with fewer labels than asked for gives all it has; false: that is an error.
  bool fewer_is_fine = false;
  /// True: the rest of `labelled` does not join the unlabelled faces.
  bool only_unlabelled = false;
  /// For experiments: shares of the classes among the unlabelled faces, whose labels must then be
  /// known, and how many faces to draw; empty: the faces as they are.
  std::vector<double> unlabelled_mix = {};
  std::size_t unlabelled_count = 0;
  /// For experiments: datasets of pictures that show no face, learnt from like `unlabelled`, all
  /// rows. The log counts how many are accepted.
  std::vector<const PackedDataset*> distractors = {};
  int min_votes = 2;       ///< See labelled_samples(); read where `labels_per_class` is 0.
  std::uint64_t seed = 1;  ///< Of the draw of labels.
};

/// The label of a face of SslSources::distractors.
inline constexpr int kDistractor = -2;

/// The faces of a run. Labels are indices into the labelled dataset's.
struct SslData {
  PackedInfo info;  ///< Shape and labels of the crops, and where they came from.
  std::vector<FaceRef> labelled;
  /// The target of each labelled face: a distribution over the labels. With `labels_per_class` all
  /// of it is on the majority label.
  std::vector<std::vector<float>> targets;
  /// Where these have labels, only the statistics of pseudo-labels use them.
  std::vector<FaceRef> unlabelled;
  std::vector<FaceRef> valid;
};

/// Throws std::runtime_error, `name` and class named, where a class has fewer than `wanted`
/// labelled faces; with `fewer_is_fine`, where it has none. `counts`: per label.
FER_API void require_labels_per_class(const std::string& name,
                                      const std::vector<std::string>& labels,
                                      const std::vector<std::size_t>& counts, int wanted,
                                      bool fewer_is_fine);

/// Draws the labelled faces and collects the others. Rows of split train whose labels were not
/// drawn join the unlabelled faces. No face is both labelled and unlabelled, and duplicates are
/// left out everywhere.
///
/// Throws std::runtime_error that names the dataset: a class has no label, or fewer than asked for;
/// crops differ in format; there is nothing to validate on; the validation data has a label that
/// the labelled dataset does not have.
FER_API SslData ssl_data(const SslSources& sources);

}  // namespace fer
