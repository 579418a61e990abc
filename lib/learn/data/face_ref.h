// References to faces of several datasets.
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

/// The index of each name among `labels`, aliases included (canonical_label()); -1 where it is none
/// of them.
FER_API std::vector<int> label_mapping(const std::vector<std::string>& names,
                                       const std::vector<std::string>& labels);

/// The faces of a dataset for training without labels: split train, or all rows where there is no
/// such split; without duplicates. Known labels become indices into `labels`.
std::vector<FaceRef> faces_without_labels(const PackedDataset& data,
                                          const std::vector<std::string>& labels);

/// A hash of which faces there are and which labels they have, continued from `hash`. A run resumes
/// only with the same faces.
std::uint64_t fingerprint(std::uint64_t hash, const std::vector<FaceRef>& faces);

}  // namespace fer
