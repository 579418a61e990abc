// Random views of face crops for training.
#pragma once

#include <cstdint>
#include <span>

#include "export.h"
#include "learn/random.h"

namespace fer {

/// How far a random view may go. Ranges are symmetric about "unchanged".
struct AugmentConfig {
  double flip = 0.5;        ///< Probability of mirroring left and right.
  double rotation = 8;      ///< Degrees.
  double scale = 0.08;      ///< Log of the zoom.
  double stretch = 0.04;    ///< Log of the aspect ratio.
  double shift = 0.04;      ///< Share of the side.
  double gamma = 0.25;      ///< Log of the exponent.
  double contrast = 0.2;    ///< Log of the factor about the mean.
  double brightness = 0.1;  ///< Share of the full range.
  double blur = 0.15;       ///< Probability of a soft view: halved and enlarged again.
  double noise = 0.05;      ///< Probability of Gaussian noise, up to 0.06 of the full range.
  double erase = 0.25;  ///< Probability that a rectangle (2 to 20 % of the area) is overwritten.
};

/// One crop, planar: channels x side x side, uint8 → the same shape in [0, 1]. The border is
/// repeated where the view looks past it. Thread-safe; the same `random` gives the same view.
FER_API void augment(std::span<const std::uint8_t> crop, int channels, int side,
                     const AugmentConfig& config, Random random, std::span<float> out);

}  // namespace fer
