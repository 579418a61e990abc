// The weights that a training run starts from.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "export.h"
#include "model/network_config.h"

namespace fer {

struct ModelFile;
struct PixelStats;
class NetworkImpl;

/// Weights to start from: chance, or a model file, which is read once and may go then. The file's
/// calibration is ignored: it belongs to the weights before training.
class FER_API InitialWeights {
 public:
  InitialWeights() = default;
  /// Throws what read_start() throws.
  explicit InitialWeights(const std::filesystem::path& file);

  explicit operator bool() const { return model_ != nullptr; }

  // The rest may only be called where weights come from a file.

  /// `version` of the file.
  const std::string& version() const;
  /// The input normalisation that the weights were trained with.
  PixelStats stats() const;
  /// Copies the weights to a network for `labels`. Its head stays as it is where the file has none,
  /// or one for other labels. Throws std::runtime_error that names the file and the fields where
  /// the networks differ in more than classes and dropout.
  void copy_to(NetworkImpl& network, const std::vector<std::string>& labels) const;
  /// Fills the stem and so many residual blocks of a network that has the same, and leaves the rest
  /// as it is. Throws std::runtime_error, file and tensor named, where it has not.
  void copy_trunk_to(NetworkImpl& network, int blocks) const;

 private:
  std::string name_;
  std::shared_ptr<const ModelFile> model_;
};

}  // namespace fer
