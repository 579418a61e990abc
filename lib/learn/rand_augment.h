// The strong view of a face crop.
#pragma once

#include <cstdint>
#include <span>

#include "export.h"
#include "learn/random.h"

namespace fer {

/// How strong a strong view is.
struct RandAugmentConfig {
  double flip = 0.5;    ///< Probability of mirroring left and right.
  double shift = 0.06;  ///< Share of the side, as in the weak view.
  int operations = 2;   ///< Drawn for each view, with replacement …
  double apply = 0.5;   ///< … each carried out with this probability.
  double strength = 1;  ///< Share of the full ranges, in [0, 1].
  double cutout = 0.5;  ///< Side of the square that is greyed at last, up to this share.
};

/// RandAugment (Cubuk et al. 2020) as FixMatch uses it: a mirrored and shifted view, then
/// operations drawn from one list, each of random strength, then Cutout. The list: identity,
/// autocontrast, equalise, brightness, contrast, sharpness, posterise, solarise, turn (30°), shear
/// (0.3) and shift (0.3 of the side) along x and y, and with three channels saturation.
///
/// One crop, planar: channels x side x side, uint8 → the same shape in [0, 1]. The border is
/// repeated where the view looks past it. Thread-safe; the same `random` gives the same view.
FER_API void rand_augment(std::span<const std::uint8_t> crop, int channels, int side,
                          const RandAugmentConfig& config, Random random, std::span<float> out);

}  // namespace fer
