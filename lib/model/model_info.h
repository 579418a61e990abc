// What a model file says beside its weights. Free of LibTorch, so that it is quick to include.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "export.h"
#include "model/crop_format.h"
#include "model/network_config.h"

namespace fer {

/// What a model file says beside its weights.
struct ModelInfo {
  NetworkConfig network;
  /// One a class, in the order of the outputs. Empty in a start for training, which has no head.
  std::vector<std::string> labels;
  float mean = 0.5f;     ///< Subtracted from pixels in [0, 1] …
  float stddev = 0.25f;  ///< … which are then divided by this.
  std::string align_template =
      "fer";  ///< Geometry of the crops it was trained on (vision/align.h).
  /// Share of each class in the training data, which the outputs assume; empty without a head.
  /// Serving elsewhere may divide by a power of it (`prior-correction`).
  std::vector<float> prior;
  /// True: the classifier also looks at each face's mirror image, at twice the cost, and takes the
  /// mean of both logits.
  bool mirror = false;
  std::string version;        ///< Short name of these weights: content hash, 12 hex digits.
  std::string parent;         ///< `version` of the model this one was adapted from; empty: none.
  nlohmann::json provenance;  ///< How it came to be: command, seed, data, epochs, numbers.
  nlohmann::json thresholds;  ///< State of the threshold policy; null where it has none.

  /// What the model takes.
  CropFormat crops() const { return {network.input_size, network.channels, align_template}; }
};

/// Reads and checks all but the weights. Throws std::runtime_error: file, what was expected, what
/// was found.
FER_API ModelInfo read_model_info(const std::filesystem::path& path);

}  // namespace fer
