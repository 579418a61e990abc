// Faces without labels, labelled by teachers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "learn/data/packed_dataset.h"
#include "model/classifier.h"

namespace fer {

/// Which rows of a dataset the teachers label.
struct TaughtRows {
  std::string split = {};        ///< Rows of this split; empty: all.
  bool unlabelled_only = false;  ///< Only rows without a majority label.
};

/// Votes that a taught row has in all: as many as FER+ has raters.
inline constexpr float kTaughtVotes = 10;

/// The chosen rows as rows of split "train" of a dataset with the splits of `data` (and "train"
/// first, where it has none). Their votes are kTaughtVotes times the teachers' mean probability of
/// each class, of the face and of its mirror image; none has a majority label, so that no
/// evaluation takes a pseudo-label for a truth. Rows marked as duplicates are left out, and so are
/// those of "valid" and "test" where no split is named. Throws
/// std::runtime_error where a teacher has other labels, crops of another shape or another template
/// than the data; or where no row is left.
std::vector<PackedRow> teach_rows(const PackedDataset& data, const TaughtRows& wanted,
                                  const std::vector<std::shared_ptr<const Classifier>>& teachers,
                                  PackedInfo& info);

}  // namespace fer
