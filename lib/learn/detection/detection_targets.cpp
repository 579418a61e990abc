#include "learn/detection/detection_targets.h"

#include <algorithm>
#include <cmath>

#include "vision/detection_grid.h"

namespace fer {
namespace {

/// The cells of one map.
struct Level {
  int stride = 0, columns = 0, rows = 0;
  float* cells = nullptr;

  float* cell(int column, int row) const {
    return cells + static_cast<std::ptrdiff_t>(row * columns + column) * kTargetValues;
  }

  /// Calls `body(column, row)` for the cells whose centre lies within `dx`, `dy` of a point.
  template <typename Body>
  void for_each_near(float x, float y, float dx, float dy, Body&& body) const {
    const auto s = static_cast<float>(stride);
    const auto first = [&](float low) {
      return std::max(0, static_cast<int>(std::ceil(low / s - 0.5f)));
    };
    const auto last = [&](float high, int count) {
      return std::min(count - 1, static_cast<int>(std::floor(high / s - 0.5f)));
    };
    for (int row = first(y - dy); row <= last(y + dy, rows); ++row)
      for (int column = first(x - dx); column <= last(x + dx, columns); ++column) body(column, row);
  }
};

void claim(float* cell, const ViewFace& face) {
  cell[kTargetScore] = face.score;
  cell[kTargetWeight] = 1;
  cell[kTargetBox] = face.x + face.width / 2;
  cell[kTargetBox + 1] = face.y + face.height / 2;
  cell[kTargetBox + 2] = face.width;
  cell[kTargetBox + 3] = face.height;
  std::copy(face.points.begin(), face.points.end(), cell + kTargetPoints);
  for (std::size_t k = 0; k < face.visible.size(); ++k)
    cell[kTargetVisible + static_cast<int>(k)] = face.visible[k] ? 1.f : 0.f;
}

}  // namespace

std::size_t cell_count(int width, int height) {
  std::size_t count = 0;
  for (const int stride : kCellStrides)
    count += static_cast<std::size_t>(width / stride) * static_cast<std::size_t>(height / stride);
  return count;
}

void make_targets(std::span<const ViewFace> faces, int width, int height,
                  const TargetConfig& config, std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.f);
  for (std::size_t i = kTargetWeight; i < out.size(); i += kTargetValues) out[i] = 1;
  std::array<Level, kCellStrides.size()> levels;
  float* cells = out.data();
  for (std::size_t i = 0; i < levels.size(); ++i) {
    levels[i] = {kCellStrides[i], width / kCellStrides[i], height / kCellStrides[i], cells};
    cells += static_cast<std::ptrdiff_t>(levels[i].columns * levels[i].rows) * kTargetValues;
  }

  std::vector<const ViewFace*> learned;
  for (const ViewFace& face : faces) {
    if (face.sure && face.height >= config.min_face) {
      learned.push_back(&face);
      continue;
    }
    // Cells whose centre lies in the box or next to it.
    for (const Level& level : levels) {
      const float margin = static_cast<float>(level.stride) / 2;
      level.for_each_near(face.x + face.width / 2, face.y + face.height / 2,
                          face.width / 2 + margin, face.height / 2 + margin,
                          [&](int column, int row) { level.cell(column, row)[kTargetWeight] = 0; });
    }
  }
  // The smallest face comes last and overwrites the others' cells.
  std::stable_sort(learned.begin(), learned.end(), [](const ViewFace* a, const ViewFace* b) {
    return a->width * a->height > b->width * b->height;
  });
  for (const ViewFace* face : learned) {
    const float size = std::sqrt(face->width * face->height);
    const float x = face->x + face->width / 2, y = face->y + face->height / 2;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (size < config.sizes[i].first || size >= config.sizes[i].second) continue;
      const Level& level = levels[i];
      const auto stride = static_cast<float>(level.stride);
      const float reach = config.reach * stride;
      level.for_each_near(x, y, std::min(reach, config.middle * face->width),
                          std::min(reach, config.middle * face->height),
                          [&](int column, int row) { claim(level.cell(column, row), *face); });
      // The cell that contains the middle of the face, even where its centre is farther away.
      const int column = std::clamp(static_cast<int>(x / stride), 0, level.columns - 1);
      const int row = std::clamp(static_cast<int>(y / stride), 0, level.rows - 1);
      claim(level.cell(column, row), *face);
    }
  }
}

}  // namespace fer
