// Random views of face crops for training.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "export.h"
#include "kernels/view_rules.h"
#include "util/random.h"

namespace fer {

/// Ranges of random augmentation. Each is symmetric about "unchanged".
struct AugmentConfig {
  double flip = 0.5;        ///< Probability of mirroring left and right.
  double rotation = 8;      ///< Degrees.
  double scale = 0.08;      ///< Log of the zoom.
  double stretch = 0.04;    ///< Log of the aspect ratio.
  double shift = 0.04;      ///< Share of the side.
  double gamma = 0.25;      ///< Log of the exponent.
  double contrast = 0.2;    ///< Log of the factor about the mean.
  double brightness = 0.1;  ///< Share of the full range.
  double blur = 0.15;       ///< Probability of blur: halved and enlarged again.
  double noise = 0.05;      ///< Probability of Gaussian noise, up to 0.06 of the full range.
  double erase = 0.25;  ///< Probability that a rectangle (2 to 20 % of the area) is overwritten.
};

/// The random parameters of one view.
struct DrawnView {
  Affine from;                                   ///< From the view to the crop.
  double gamma = 1;                              ///< Exponent of the values in [0, 1].
  double contrast = 1;                           ///< Factor about the mean.
  double brightness = 0;                         ///< Added; a share of the full range.
  bool soft = false;                             ///< Blurred: halved and enlarged again.
  std::vector<float> noise;                      ///< Added to each value; empty: nothing.
  int left = 0, top = 0, right = 0, bottom = 0;  ///< Rectangle to erase; none: right <= left.
  float fill = 0;                                ///< Value that fills it.
};

/// Draws the parameters of a view. The same `random` gives the same ones.
FER_API DrawnView draw_view(const AugmentConfig& config, int channels, int side, Random random);

/// Makes the view of a planar crop: channels x side x side, uint8 → the same shape in [0, 1].
/// Pixels outside the crop repeat its border. Thread-safe.
FER_API void show_view(std::span<const std::uint8_t> crop, int channels, int side,
                       const DrawnView& view, std::span<float> out);

/// Draws a view and makes it.
inline void augment(std::span<const std::uint8_t> crop, int channels, int side,
                    const AugmentConfig& config, Random random, std::span<float> out) {
  show_view(crop, channels, side, draw_view(config, channels, side, random), out);
}

}  // namespace fer
