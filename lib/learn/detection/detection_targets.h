// What every cell of the detector's maps should say of a view.
#pragma once

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "export.h"
#include "learn/detection/detection_augment.h"

namespace fer {

/// How faces are shared out among the cells.
struct TargetConfig {
  /// Sizes (the root of the area, in pixels) that each level looks for. They overlap, so that a
  /// face at a border is found by either.
  std::array<std::pair<float, float>, 3> sizes{std::pair{0.f, 48.f}, std::pair{32.f, 128.f},
                                               std::pair{96.f, 1e9f}};
  float min_face = 8;  ///< Lower faces are not learned: cells there are left alone.
  /// Cells whose centre lies so near to the middle of a face look for it, in shares of the box …
  float middle = 0.25f;
  float reach = 1.5f;  ///< … and in strides at most.
};

/// Numbers of a cell's target: score (0: no face), weight (0: nothing is learned here), the box as
/// centre and size in pixels, five landmarks, and for each of these 1 where it may be learned.
inline constexpr int kTargetScore = 0, kTargetWeight = 1, kTargetBox = 2, kTargetPoints = 6,
                     kTargetVisible = 16, kTargetValues = 21;

/// Cells of all maps for an input of this size; sides are multiples of kLargestStride. The order is
/// level by level, row by row.
FER_API std::size_t cell_count(int width, int height);

/// Fills `out`, cell_count() x kTargetValues. A cell that several faces claim takes the smallest.
FER_API void make_targets(std::span<const ViewFace> faces, int width, int height,
                          const TargetConfig& config, std::span<float> out);

}  // namespace fer
