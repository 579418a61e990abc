// Which faces a semi-supervised run learns from: few with labels, many without.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "export.h"
#include "learn/data/face_ref.h"
#include "learn/data/packed_dataset.h"

namespace fer {

/// Where the faces are to come from. Datasets must outlive what is made of them.
struct SemiSources {
  const PackedDataset* labelled = nullptr;       ///< Its split train.
  std::vector<const PackedDataset*> unlabelled;  ///< Split train, or all rows where there is none.
  const PackedDataset* valid = nullptr;          ///< nullptr: split valid of `labelled`.
  int labels_per_class = 0;                      ///< 0: all of split train.
  /// Without `labels_per_class`: so large a share of each class's labels is used, in (0, 1].
  double label_share = 1;
  /// Classes with fewer labels than asked for give all that they have, instead of an error.
  bool fewer_is_fine = false;
  int min_votes = 2;       ///< See labelled_samples(); counts only without `labels_per_class`.
  std::uint64_t seed = 1;  ///< Of the draw of labels.
};

/// Faces to learn from. Labels are those of the labelled dataset, in its order.
struct SemiData {
  PackedInfo info;  ///< Shape and labels of the crops, and where they came from.
  std::vector<FaceRef> labelled;
  /// One a labelled face: what it teaches, one share a label. With `labels_per_class` the majority
  /// label alone.
  std::vector<std::vector<float>> targets;
  /// Their labels, where they have some, serve only to judge pseudo-labels.
  std::vector<FaceRef> unlabelled;
  std::vector<FaceRef> valid;
};

/// Draws the labelled faces and gathers the others. With `labels_per_class`, or a share below 1,
/// what is left of split train joins the unlabelled faces. Rows marked as duplicates are left out
/// everywhere, and a labelled face is never among the unlabelled ones. Throws std::runtime_error
/// that names the dataset for: a class without a label, fewer labels than asked for, crops of
/// different shapes, nothing to select by, a validation label that the labelled dataset does not
/// have.
FER_API SemiData semi_data(const SemiSources& sources);

}  // namespace fer
