// Faces of several datasets in one list.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "learn/data/packed_dataset.h"

namespace fer {

/// A row of one of several datasets.
struct FaceRef {
  const PackedDataset* data = nullptr;
  std::size_t row = 0;
  int label = -1;  ///< Index into the labels of the list's owner; -1: not known.

  std::span<const std::uint8_t> crop() const { return data->crop(row); }
};

/// True where the dataset has rows under that split's name.
bool has_split(const PackedDataset& data, const std::string& split);

/// Throws std::runtime_error where `other` has crops of another shape or template than `data`.
void require_same_crops(const PackedDataset& data, const PackedDataset& other);

/// The place of each of `names` among `labels`, by its usual name; -1 where it is none of them.
FER_API std::vector<int> label_mapping(const std::vector<std::string>& names,
                               const std::vector<std::string>& labels);

/// What a dataset gives to learn from without labels: split train, or all rows where there is none;
/// duplicates left out. Labels that are known are indices into `labels`.
std::vector<FaceRef> faces_without_labels(const PackedDataset& data,
                                          const std::vector<std::string>& labels);

/// Which faces carry which label, as a number that goes on from `hash`: a run does not go on with
/// others.
std::uint64_t fingerprint(std::uint64_t hash, const std::vector<FaceRef>& faces);

}  // namespace fer
