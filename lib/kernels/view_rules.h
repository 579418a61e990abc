// Random augmentation of face crops: how the parameters of a view are drawn, and how one pixel is
// computed from them.
//
// A weak view is mirrored and shifted. A strong view is RandAugment (Cubuk et al. 2020) as FixMatch
// uses it: a weak view, then some operations of random strength from one list, then Cutout. The
// list: identity, autocontrast, equalise, brightness, contrast, sharpness, posterise, solarise,
// turn (30°), shear (0.3) and shift (0.3 of the side) along x and y; for colour crops saturation
// too. Pixels outside the crop repeat its border.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

#include "util/host_device.h"

namespace fer {

/// An affine map from a view to the crop, in pixels: the view's point (u, v), counted from its
/// centre, shows the crop's point (cx + xx·u + xy·v, cy + yx·u + yy·v).
struct Affine {
  double xx = 1, xy = 0, yx = 0, yy = 1;
  double cx = 0, cy = 0;
};

/// Settings of RandAugment.
struct RandAugmentConfig {
  double flip = 0.5;    ///< Probability of mirroring left and right.
  double shift = 0.06;  ///< Share of the side, as in the weak view.
  int operations = 2;   ///< Drawn for each view, with replacement; at most kMaxOperations.
  double apply = 0.5;   ///< Probability that a drawn operation is applied.
  double strength = 1;  ///< Share of the full ranges, in [0, 1].
  double cutout = 0.5;  ///< Largest side of Cutout's grey square, as a share of the crop's side.
};

/// The weak view: mirrored and shifted, nothing else.
inline constexpr RandAugmentConfig kWeakView{
    .flip = 0.5, .shift = 0.06, .operations = 0, .apply = 0, .strength = 0, .cutout = 0};

namespace kernels {

inline constexpr int kMaxOperations = 8;

enum class Operation {
  kIdentity,
  kAutocontrast,
  kEqualise,
  kBrightness,
  kContrast,
  kSharpness,
  kPosterise,
  kSolarise,
  kTurn,
  kShearX,
  kShearY,
  kShiftX,
  kShiftY,
  kSaturation,  ///< Last, since grey crops have none.
};
inline constexpr int kOperations = static_cast<int>(Operation::kSaturation) + 1;

/// An operation that changes the values of pixels and moves none.
struct PhotometricOp {
  Operation operation;
  float factor;  ///< From 0.05 to 1.95.
  float share;   ///< The strength, from 0 to 1.
};

/// The random parameters of a view.
struct AugmentParams {
  Affine view;  ///< All geometric operations as one, so that pixels are interpolated only once.
  int photometric_count = 0;
  PhotometricOp photometric_ops[kMaxOperations];
  /// The square of Cutout (DeVries & Taylor 2017): columns [left, right), rows [top, bottom). Empty
  /// where right <= left or bottom <= top.
  int left = 0, top = 0, right = 0, bottom = 0;
};

FER_HOST_DEVICE inline bool moves_pixels(Operation operation) {
  return operation >= Operation::kTurn && operation <= Operation::kShiftY;
}

/// `view` followed by a geometric operation; `s`: its strength, in [-1, 1].
FER_HOST_DEVICE inline Affine moved(const Affine& view, Operation operation, double s, int side) {
  Affine m;
  switch (operation) {
    case Operation::kTurn: {
      const double angle = s * 30 * std::numbers::pi / 180;
      m = {std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle), 0, 0};
      break;
    }
    case Operation::kShearX:
      m.xy = 0.3 * s;
      break;
    case Operation::kShearY:
      m.yx = 0.3 * s;
      break;
    case Operation::kShiftX:
      m.cx = 0.3 * s * side;
      break;
    default:
      m.cy = 0.3 * s * side;
      break;
  }
  return {view.xx * m.xx + view.xy * m.yx,           view.xx * m.xy + view.xy * m.yy,
          view.yx * m.xx + view.yy * m.yx,           view.yx * m.xy + view.yy * m.yy,
          view.cx + view.xx * m.cx + view.xy * m.cy, view.cy + view.yx * m.cx + view.yy * m.cy};
}

/// Draws the parameters of a view. `Random` has the members of fer::Random; config.operations is at
/// most kMaxOperations.
template <typename Random>
FER_HOST_DEVICE AugmentParams draw_view(const RandAugmentConfig& config, int channels, int side,
                                        Random& random) {
  AugmentParams plan;
  plan.view.xx = random.chance(config.flip) ? -1 : 1;
  plan.view.cx = (side - 1) / 2.0 + random.uniform(-config.shift, config.shift) * side;
  plan.view.cy = (side - 1) / 2.0 + random.uniform(-config.shift, config.shift) * side;
  const auto choices = static_cast<std::uint64_t>(channels == 3 ? kOperations : kOperations - 1);
  for (int i = 0; i < config.operations; ++i) {
    const auto operation = static_cast<Operation>(random.below(choices));
    const double strength = random.uniform(-config.strength, config.strength);
    if (!random.chance(config.apply)) continue;
    if (moves_pixels(operation)) {
      plan.view = moved(plan.view, operation, strength, side);
    } else {
      plan.photometric_ops[plan.photometric_count++] = {operation,
                                                        static_cast<float>(1 + 0.95 * strength),
                                                        static_cast<float>(std::abs(strength))};
    }
  }
  // The centre lies anywhere, so part of the square may lie outside.
  const int square = static_cast<int>(std::lround(random.uniform(0, config.cutout) * side));
  const auto bounds = [&](int& from, int& to) {
    const int begin = static_cast<int>(random.below(static_cast<std::uint64_t>(side))) - square / 2;
    from = begin > 0 ? begin : 0;
    to = begin + square < side ? begin + square : side;
  };
  bounds(plan.left, plan.right);
  bounds(plan.top, plan.bottom);
  return plan;
}

/// The value of a view's pixel, 0 to 255: bilinear interpolation in a plane of side x side pixels,
/// whose border is repeated outside.
FER_HOST_DEVICE inline float seen_at(const std::uint8_t* plane, int side, const Affine& a, int x,
                                     int y) {
  // In fp32: most cards have few units for doubles, and a place in a crop needs no more.
  const auto part = [](double value) { return static_cast<float>(value); };
  const auto limit = static_cast<float>(side - 1);
  const float centre = limit / 2;
  const float u = static_cast<float>(x) - centre, v = static_cast<float>(y) - centre;
  const auto inside = [&](float value) { return value < 0 ? 0 : value > limit ? limit : value; };
  const float px = inside(part(a.cx) + part(a.xx) * u + part(a.xy) * v);
  const float py = inside(part(a.cy) + part(a.yx) * u + part(a.yy) * v);
  const int x0 = static_cast<int>(px), y0 = static_cast<int>(py);
  const int x1 = x0 + 1 < side ? x0 + 1 : side - 1, y1 = y0 + 1 < side ? y0 + 1 : side - 1;
  const float fx = px - static_cast<float>(x0), fy = py - static_cast<float>(y0);
  const auto at = [&](int r, int c) { return static_cast<float>(plane[r * side + c]); };
  const float top = at(y0, x0) + fx * (at(y0, x1) - at(y0, x0));
  const float bottom = at(y1, x0) + fx * (at(y1, x1) - at(y1, x0));
  return top + fy * (bottom - top);
}

/// Scales the values of seen_at() to [0, 1].
inline constexpr float kByte = 1 / 255.f;

FER_HOST_DEVICE inline float in_range(float value) {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/// Whether an operation reads other pixels or statistics than the value that it changes.
FER_HOST_DEVICE inline bool looks_around(Operation operation) {
  return operation == Operation::kAutocontrast || operation == Operation::kEqualise ||
         operation == Operation::kContrast || operation == Operation::kSharpness ||
         operation == Operation::kSaturation;
}

/// Grey levels of the histogram that equalise uses.
inline constexpr int kLevels = 256;
FER_HOST_DEVICE inline int level_of(float value) {
  return static_cast<int>(in_range(value) * 255.f + 0.5f);
}

/// Statistics of a plane or view that an operation needs, taken before it changes pixels.
struct PhotometricStats {
  float low = 0, high = 0;     ///< Autocontrast: darkest and brightest value of the plane.
  float mean = 0;              ///< Contrast: the mean over all planes.
  const int* below = nullptr;  ///< Equalise: how many pixels of the plane lie below each level.
  int last = 0, pixels = 0;    ///< Equalise: pixels at the brightest level, and of the plane.
};

/// The value after an operation that reads no other pixel, in [0, 1].
FER_HOST_DEVICE inline float apply_photometric(const PhotometricOp& step, const PhotometricStats& s,
                                               float value) {
  switch (step.operation) {
    case Operation::kAutocontrast:
      // The darkest pixel becomes 0, the brightest 1.
      if (s.high - s.low > 1e-6f) value = (value - s.low) / (s.high - s.low);
      break;
    case Operation::kEqualise:
      // Each level becomes the share of pixels below it.
      if (s.pixels > s.last)
        value =
            static_cast<float>(s.below[level_of(value)]) / static_cast<float>(s.pixels - s.last);
      break;
    case Operation::kBrightness:
      value *= step.factor;
      break;
    case Operation::kContrast:
      value = s.mean + step.factor * (value - s.mean);
      break;
    case Operation::kPosterise: {
      // 8 bits at no strength, 4 at full strength.
      const auto levels = static_cast<float>(1 << (8 - static_cast<int>(step.share * 4 + 0.5f)));
      value = std::floor(in_range(value) * 255.f / 256 * levels) / levels;
      break;
    }
    case Operation::kSolarise:
      if (value > 1 - step.share) value = 1 - value;
      break;
    default:
      break;
  }
  return in_range(value);
}

/// Sharpness: moves a pixel away from (factor > 1) or towards (< 1) a mean of its neighbourhood, in
/// which the pixel itself weighs 5 of 13. In [0, 1]. Pixels at the border stay.
FER_HOST_DEVICE inline float sharpened(const float* before, int side, int x, int y, float factor) {
  const float value = before[y * side + x];
  if (x == 0 || y == 0 || x + 1 == side || y + 1 == side) return in_range(value);
  float sum = 4 * value;
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx) sum += before[(y + dy) * side + x + dx];
  const float smooth = sum / 13;
  return in_range(smooth + factor * (value - smooth));
}

/// Saturation: moves the channels of a pixel away from or towards its grey level, each in [0, 1].
FER_HOST_DEVICE inline void saturate(float& red, float& green, float& blue, float factor) {
  const float grey = 0.299f * red + 0.587f * green + 0.114f * blue;
  red = in_range(grey + factor * (red - grey));
  green = in_range(grey + factor * (green - grey));
  blue = in_range(grey + factor * (blue - grey));
}

/// The value inside Cutout's square.
inline constexpr float kCutOut = 0.5f;

}  // namespace kernels
}  // namespace fer
