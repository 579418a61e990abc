// What makes the probabilities of a model believable: a temperature and a bias per class.
#pragma once

#include <span>
#include <vector>

#include "export.h"

namespace fer {

/// Calibrated logits are logits / temperature + bias (Guo et al. 2017: temperature scaling, and
/// vector scaling of which the scale is shared). `fer calibrate` fits it.
struct Calibration {
  double temperature = 1;   ///< Above 1: the model was surer than it was right.
  std::vector<float> bias;  ///< One per class; empty: none.

  /// True where it changes no logit.
  bool is_identity() const { return temperature == 1 && bias.empty(); }
  bool operator==(const Calibration&) const = default;
};

/// Makes a head that gives calibrated logits out of one that gives plain ones. `head_weight` is
/// classes x features, `head_bias` has one entry per class. Throws std::invalid_argument where the
/// calibration is for another number of classes.
FER_API void fold_calibration(const Calibration& calibration, std::span<float> head_weight,
                              std::span<float> head_bias);

}  // namespace fer
