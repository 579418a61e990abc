// What a model file says beside its weights. Free of LibTorch, so that it is quick to include.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "export.h"
#include "model/calibration.h"
#include "model/crop_format.h"
#include "model/network_config.h"

namespace fer {

/// What a model file says beside its weights.
struct ModelInfo {
  NetworkConfig network;  ///< Its shape.
  /// One a class, in the order of the outputs. Empty in a start for training, which has no head.
  std::vector<std::string> labels;
  float mean = 0.5f;     ///< Subtracted from pixels in [0, 1] …
  float stddev = 0.25f;  ///< … which are then divided by this.
  std::string align_template =
      "fer";  ///< Geometry of the crops it was trained on (vision/align.h).
  /// Share of each class that the outputs assume: that of the training data, or of the data that
  /// the bias of the calibration was fitted on. Empty without a head. Serving elsewhere may divide
  /// by a power of it (`prior-correction`).
  std::vector<float> prior;
  /// Serving has it in the head's weights; training from this file (`--init`) ignores it.
  Calibration calibration;
  /// The power of the prior that serving divides out where nobody asks for another; 0 to 1.
  double prior_correction = 0;
  /// Per class, the least probability at which its predictions are as precise on validation data as
  /// `fer calibrate` was asked for; infinity where none is high enough. Empty: not known.
  std::vector<float> operating_points;
  /// True: the classifier also looks at each face's mirror image, at twice the cost, and takes the
  /// mean of both logits.
  bool mirror = false;
  /// Short name: a hash of all that decides the answers, 12 hex digits. Files of format gst-fer/1
  /// have a hash of the weights alone.
  std::string version;
  std::string parent;         ///< `version` of the model this one was adapted from; empty: none.
  nlohmann::json provenance;  ///< How it came to be: command, seed, data, epochs, numbers.
  nlohmann::json thresholds;  ///< State of the threshold policy; null where it has none.

  /// What the model takes.
  CropFormat crops() const { return {network.input_size, network.channels, align_template}; }
};

/// A prior correction that asks for the model's own.
inline constexpr double kModelsPriorCorrection = -1;

/// The prior correction to use: what was asked for, or the model's own where that is below 0.
inline double prior_correction_of(const ModelInfo& info, double asked) {
  return asked < 0 ? info.prior_correction : asked;
}

/// Reads and checks all but the weights. Throws std::runtime_error: file, what was expected, what
/// was found.
FER_API ModelInfo read_model_info(const std::filesystem::path& path);

}  // namespace fer
