// Random views of photos for training a face detector.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "export.h"
#include "learn/detection/detection_dataset.h"
#include "util/random.h"

namespace fer {

/// How far a random view may go. Ranges are symmetric about "unchanged" unless they say otherwise.
struct DetectionAugmentConfig {
  double min_face = 10;       ///< Height that a chosen face gets at least, in pixels …
  double largest_face = 1.0;  ///< … and at most, as a share of the view's side; log-uniform.
  double largest_zoom = 5;    ///< Photos are not enlarged beyond this.
  double mosaic = 0.3;        ///< Probability that a view is put together of four photos.
  double flip = 0.5;          ///< Probability of mirroring left and right.
  double rotation = 12;       ///< Degrees.
  double turned = 0;          ///< Probability that a view is turned by any angle instead.
  double stretch = 0.06;      ///< Log of the aspect ratio.
  double gamma = 0.4;         ///< Log of the exponent.
  double contrast = 0.25;     ///< Log of the factor.
  double dark = 0.25;         ///< Probability of a dark view …
  double darkest = 0.15;      ///< … down to this share of the light.
  double brightness = 0.08;   ///< Share of the full range.
  double gradient = 0.2;      ///< Probability that light falls off across the view.
  double blur = 0.15;         ///< Probability of a soft view.
  double noise = 0.2;         ///< Probability of noise, up to 0.07 of the full range.
  double compression = 0.3;   ///< Probability that 8 x 8 blocks lose their fine parts.
  double erase = 0.2;         ///< Probability that a face is partly covered.
};

/// A face in a view, in its pixels.
struct ViewFace {
  /// Clipped to the view. Around the ellipse that the photo's box holds, turned with the view.
  float x = 0, y = 0, width = 0, height = 0;
  std::array<float, 10> points{};
  std::array<bool, 5> visible{};  ///< Landmarks that lie in the view.
  float score = 1;                ///< The teacher's.
  bool sure = true;               ///< False: cells here learn nothing.
};

/// Photos that a view is made of: one, or four for a mosaic.
struct ViewPhotos {
  std::array<std::size_t, 4> photo{};
  int count = 1;
};

/// Fills `out` (side x side, values 0 to 255) with a view and returns the faces in it. Photos that
/// shrink are averaged over the pixels that fall together, so that small faces look as a camera
/// shows them. What no photo covers is black, as the detector pads its input. Thread-safe; the same
/// `random` gives the same view.
FER_API std::vector<ViewFace> make_view(const DetectionDataset& data, const ViewPhotos& photos,
                                        int side, const DetectionAugmentConfig& config,
                                        Random random, std::span<float> out);

/// Turns the right and left of mirrored landmarks around, x mirrored already.
FER_API void swap_sides(std::array<float, 10>& points);

/// What storing as 8 x 8 blocks of cosines leaves of a picture, as JPEG and MPEG do it: every
/// coefficient is rounded to a multiple of `step`, coarser the finer its detail. Sides that are no
/// multiples of 8 keep their rest.
FER_API void compress_blocks(std::span<float> picture, int width, int height, float step);

}  // namespace fer
