// Labelled faces that a learner keeps at hand, as pictures or as activations of the frozen trunk.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "learn/data/packed_dataset.h"
#include "network/model_file.h"
#include "network/network.h"
#include "util/random.h"

namespace fer {

/// Blocks below the split point that a setting means for this network: -1 stands for all but the
/// last stage's. Throws std::runtime_error for more blocks than there are.
int blocks_below(const NetworkConfig& network, int setting);

/// Names the weights below the split point: activations of one such half serve every network that
/// shares it.
std::string trunk_version(const ModelFile& model, int blocks_below);

/// Labelled faces, opened for one model. Labels are the model's, by index; rows of classes that it
/// does not know, duplicates, and rows without one majority label are left out.
class LabelledFaces {
 public:
  virtual ~LabelledFaces() = default;

  /// Opens a packed dataset (its split `split`; all rows where it has no such split) or a file of
  /// latents. `setting`: OnlineConfig::frozen_blocks; -1 takes the split point of a file of latents
  /// as it is. `split_needed`: a packed dataset without that split is an error. `device`: where the
  /// network lies; latents are copied there once, as bytes. Throws
  /// std::runtime_error: file, what was expected, what was found.
  static std::unique_ptr<LabelledFaces> open(const std::filesystem::path& path,
                                             const std::string& split, const ModelFile& model,
                                             int setting, bool split_needed = false,
                                             torch::Device device = torch::kCPU);

  std::size_t size() const { return labels_.size(); }
  const std::vector<int>& labels() const { return labels_; }
  /// The split point of activations().
  int split_point() const { return split_point_; }

  /// What the half below the split point makes of these rows: N x C x S x S, fp32, no gradient,
  /// where `network` lies, which must be in evaluation mode. `random`: pictures are seen in the
  /// weak view that it gives; nullptr: as they are. Latents are always as they are.
  virtual torch::Tensor activations(std::span<const std::size_t> rows, Network& network,
                                    const Random* random) const = 0;

 protected:
  std::vector<int> labels_;
  int split_point_ = 0;
};

/// Rows of a split of a packed dataset (of all, where it has no such split and needs none) that
/// teach this model, and their labels as it numbers them. Throws std::runtime_error where there are
/// none, and where the crops are not what the model takes.
std::pair<std::vector<std::size_t>, std::vector<int>> usable_rows(const PackedDataset& data,
                                                                  const std::string& split,
                                                                  const ModelInfo& model,
                                                                  bool split_needed);

/// Indices of at most `per_class` entries of each label, drawn by the seed; 0: all. Ascending.
std::vector<std::size_t> balanced_rows(const std::vector<int>& labels, int per_class,
                                       std::uint64_t seed);

}  // namespace fer
