// Middle maps of a frozen network, computed once for all faces of a packed dataset: they stand in
// the dataset's file beside its rows. Free of LibTorch.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "export.h"
#include "learn/data/packed_dataset.h"
#include "model/network_config.h"

namespace fer {

class FeatureViews;

/// Which maps a file holds.
struct FeatureInfo {
  std::string network;   ///< `version` of the model file that made them.
  NetworkConfig config;  ///< Of that model.
  int blocks = 0;        ///< They lie above the stem and so many residual blocks.
  int channels = 0, side = 0;
  int grid = 0;  ///< Copies that are no faces are kept pooled to grid x grid; 0: none are kept.
};

struct FeatureConfig {
  int blocks = 0;
  /// Side of the grid to which the maps of copies that are no faces (NonFace) are pooled, for the
  /// labelled rows of split train; 0: none are made.
  int grid = 3;
  int chunk = 64;   ///< Faces that go through the network at once.
  int threads = 0;  ///< 0: one a core.
};

/// Writes the dataset once more with the maps of each row, plain and mirrored, in bfloat16: a
/// packed dataset with the tensors "maps" (N x 2 x S x S x C) and "non_faces" (N x kinds x
/// C·grid·grid, zeros where none were made) and what FeatureInfo says. Crops of another side are
/// scaled to the network's. `on_progress` hears how many of how many faces are done; where it
/// returns false, so does this, and there is no file. Throws std::runtime_error where the model has
/// fewer blocks, or the file cannot be written.
FER_API bool write_features(
    const std::filesystem::path& path, const PackedDataset& data,
    const std::filesystem::path& model, const FeatureConfig& config,
    const std::function<bool(std::size_t done, std::size_t all)>& on_progress);

/// True where the dataset's file holds maps.
FER_API bool has_features(const PackedDataset& data);

/// Throws std::runtime_error: file, what was expected, what was found.
FER_API FeatureInfo feature_info(const PackedDataset& data);

/// Throws std::runtime_error, both files named, where the dataset's maps were not made by a model
/// file of this `version`.
FER_API void require_features_of(const PackedDataset& data, const std::string& version,
                                 const std::string& file);

/// Views of the datasets' faces (FeatureViews), which must outlive them. `drop`: probability that a
/// channel of a strong view is silent. Throws std::runtime_error where a dataset has no features,
/// or they are of different networks.
FER_API std::shared_ptr<const FeatureViews> feature_views(
    const std::vector<const PackedDataset*>& datasets, double drop);

/// N x C logits of rows, one after the other, by a model whose trunk made the maps: of plain views,
/// in fp32. Throws std::runtime_error where the model did not begin from the features' model, by
/// its `parent`, or has other labels than the dataset.
FER_API std::vector<float> feature_logits(const std::filesystem::path& model,
                                          const PackedDataset& data,
                                          const std::vector<std::size_t>& rows);

}  // namespace fer
