// Labelled faces that a model can bring along without anybody's picture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "export.h"
#include "learn/data/packed_dataset.h"

namespace fer {

struct ModelFile;

/// Latents (latent replay: Pellegrini et al. 2020): what a model's half below the split point (its
/// stem and `blocks_below` residual blocks; -1: all but the last stage's) makes of `per_class` rows
/// of each class that has as many, and of all rows of the others, of a split of a dataset (empty:
/// all rows).
class LatentSet {
 public:
  /// The draw follows from the seed. `but_not`: rows that are left out. `on_progress` hears how
  /// many rows are done, and may throw. Throws std::runtime_error for a dataset that does not fit
  /// the model or has no row left.
  FER_API LatentSet(const ModelFile& model, int blocks_below, const PackedDataset& data,
                    const std::string& split, int per_class, std::uint64_t seed,
                    const std::vector<std::size_t>& but_not = {},
                    const std::function<void(std::size_t done, std::size_t all)>& on_progress = {});
  FER_API ~LatentSet();

  /// Those that were taken.
  const std::vector<std::size_t>& rows() const { return rows_; }
  /// Throws std::runtime_error where the file cannot be written.
  FER_API void write(const std::filesystem::path& path) const;

 private:
  struct Content;

  std::vector<std::size_t> rows_;
  std::unique_ptr<Content> content_;
};

/// Makes and writes them at once. Returns the rows that were taken.
FER_API std::vector<std::size_t> write_latents(const std::filesystem::path& path,
                                               const ModelFile& model, int blocks_below,
                                               const PackedDataset& data, const std::string& split,
                                               int per_class, std::uint64_t seed,
                                               const std::vector<std::size_t>& but_not = {});

}  // namespace fer
