// The strong view of a face crop.
#pragma once

#include <cstdint>
#include <span>

#include "cuda/view_rules.h"
#include "export.h"
#include "learn/random.h"

namespace fer {

/// RandAugment (Cubuk et al. 2020) as FixMatch uses it: a mirrored and shifted view, then
/// operations drawn from one list, each of random strength, then Cutout. The list: identity,
/// autocontrast, equalise, brightness, contrast, sharpness, posterise, solarise, turn (30°), shear
/// (0.3) and shift (0.3 of the side) along x and y, and with three channels saturation.
///
/// One crop, planar: channels x side x side, uint8 → the same shape in [0, 1]. The border is
/// repeated where the view looks past it. Thread-safe; the same `random` gives the same view.
/// Throws std::invalid_argument for more operations than kernels::kMostOperations.
FER_API void rand_augment(std::span<const std::uint8_t> crop, int channels, int side,
                          const RandAugmentConfig& config, Random random, std::span<float> out);

}  // namespace fer
