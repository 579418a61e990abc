// Labelled faces that a model can bring along without anybody's picture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "export.h"
#include "learn/packed_dataset.h"

namespace fer {

struct ModelFile;

/// Writes a file of latents (latent replay: Pellegrini et al. 2020): what the model's half below
/// the cut (its stem and `blocks_below` residual blocks; -1: all but the last stage's) makes of
/// `per_class` rows of each class that has as many, and of all rows of the others, of a split of
/// the dataset (empty: all rows). `but_not`: rows that are left out. The draw follows from the
/// seed. Returns the rows that it took.
///
/// Throws std::runtime_error for a dataset that does not fit the model or has no row left, and
/// where the file cannot be written.
FER_API std::vector<std::size_t> write_latents(const std::filesystem::path& path,
                                               const ModelFile& model, int blocks_below,
                                               const PackedDataset& data, const std::string& split,
                                               int per_class, std::uint64_t seed,
                                               const std::vector<std::size_t>& but_not = {});

}  // namespace fer
