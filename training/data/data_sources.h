// Several datasets, as the commands name them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "data/data_source.h"

namespace fer {

/// Datasets by path: one that is named twice is read once.
class DataSources {
 public:
  DataSources(AlignMode mode, CropFormat shape, ReadOptions options)
      : mode_(mode), shape_(std::move(shape)), options_(std::move(options)) {}

  /// Lives as long as this object. Throws what DataSource throws.
  const PackedDataset* at(const std::filesystem::path& path);

 private:
  const AlignMode mode_;
  const CropFormat shape_;
  const ReadOptions options_;
  std::vector<std::pair<std::filesystem::path, std::unique_ptr<DataSource>>> sources_;
};

}  // namespace fer
