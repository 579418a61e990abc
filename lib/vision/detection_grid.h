// What the project's own detector says of every cell of its maps, and the faces in that. No OpenCV
// in it: training and the kernels decode with it too.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "util/host_device.h"

namespace fer {

/// The detector has one map a stride, in this order. An input's sides are multiples of the last.
inline constexpr std::array kCellStrides{8, 16, 32};
inline constexpr int kLargestStride = kCellStrides.back();
/// The least side that is shown to OpenCV: from 4.7 to 4.10 at least, it computes a depthwise
/// convolution over a map of one row or column wrongly.
inline constexpr int kMinInputSide = 2 * kLargestStride;

/// Values of a cell, one plane each: the score's logit, then the box as centre and logarithm of
/// width and height, then five landmarks, all in strides: a point lies at (cell + value) * stride.
inline constexpr int kCellPoints = 5;
inline constexpr int kCellValues = 1 + 4 + 2 * kCellPoints;

/// Larger logarithms of a size are no face but a broken network.
inline constexpr float kLargestLogSize = 8;

/// One guess, in pixels of the network's input.
struct GridCandidate {
  float x = 0, y = 0, width = 0, height = 0;  ///< Upper left corner and size.
  float score = 0;                            ///< In [0, 1].
  std::array<float, 2 * kCellPoints> points{};
};

/// The side of the input that a picture of this side is padded to.
constexpr int padded_side(int side, int multiple, int min) {
  return std::max(min, (side + multiple - 1) / multiple * multiple);
}

/// The logit of this score: scores are compared as logits, so that the exponential is taken of the
/// few that pass.
inline float min_logit_of(float min_score) {
  const float share = std::clamp(min_score, 1e-6f, 1 - 1e-6f);
  return std::log(share / (1 - share));
}

/// The guess of cell `i` of one map of kCellValues x `plane` values, `columns` cells wide.
FER_HOST_DEVICE inline GridCandidate decode_cell(const float* map, std::size_t plane, int columns,
                                                 int stride, std::size_t i) {
  const auto step = static_cast<float>(stride);
  const auto value = [&](int k) { return map[static_cast<std::size_t>(k) * plane + i]; };
  const std::size_t line = i / static_cast<std::size_t>(columns);
  const auto column = static_cast<float>(i - line * static_cast<std::size_t>(columns));
  const auto row = static_cast<float>(line);
  const float largest = kLargestLogSize;  // A copy, since a device has no address of the other.
  GridCandidate face;
  face.score = 1 / (1 + std::exp(-map[i]));
  face.width = step * std::exp(std::min(value(3), largest));
  face.height = step * std::exp(std::min(value(4), largest));
  face.x = (column + value(1)) * step - face.width / 2;
  face.y = (row + value(2)) * step - face.height / 2;
  for (int k = 0; k < kCellPoints; ++k) {
    face.points[static_cast<std::size_t>(2 * k)] = (column + value(5 + 2 * k)) * step;
    face.points[static_cast<std::size_t>(2 * k + 1)] = (row + value(6 + 2 * k)) * step;
  }
  return face;
}

/// False for what a broken network says.
FER_HOST_DEVICE inline bool is_finite(const GridCandidate& face) {
  return std::isfinite(face.x + face.y + face.width + face.height);
}

/// Appends the guesses of one map (kCellValues x rows x columns) that score `min_score` or more.
inline void decode_cells(const float* map, int rows, int columns, int stride, float min_score,
                         std::vector<GridCandidate>& faces) {
  const auto plane = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  const float min_logit = min_logit_of(min_score);
  for (std::size_t i = 0; i < plane; ++i) {
    if (!(map[i] >= min_logit)) continue;
    const GridCandidate face = decode_cell(map, plane, columns, stride, i);
    if (is_finite(face)) faces.push_back(face);
  }
}

/// Area that two boxes (x, y, width, height) share.
template <typename A, typename B>
FER_HOST_DEVICE double shared_area(const A& a, const B& b) {
  const double w = std::min<double>(a.x + a.width, b.x + b.width) - std::max<double>(a.x, b.x);
  const double h = std::min<double>(a.y + a.height, b.y + b.height) - std::max<double>(a.y, b.y);
  return w > 0 && h > 0 ? w * h : 0;
}

/// Intersection over union of two boxes; 0 where both are empty.
template <typename A, typename B>
FER_HOST_DEVICE double box_iou(const A& a, const B& b) {
  const double both = shared_area(a, b);
  const double all =
      static_cast<double>(a.width) * a.height + static_cast<double>(b.width) * b.height - both;
  return all > 0 ? both / all : 0;
}

/// Non-maximum suppression: the indices of the boxes that no better one overlaps by more than
/// `overlap`, best first; at most `candidates` boxes are looked at. `box(i)` and `score(i)` give
/// what belongs to index i < count.
template <typename BoxOf, typename ScoreOf>
std::vector<std::size_t> suppress(std::size_t count, BoxOf&& box, ScoreOf&& score, double overlap,
                                  std::size_t candidates) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return score(a) > score(b); });
  if (order.size() > candidates) order.resize(candidates);
  std::vector<std::size_t> kept;
  for (const std::size_t i : order) {
    const bool free = std::none_of(
        kept.begin(), kept.end(), [&](std::size_t k) { return box_iou(box(i), box(k)) > overlap; });
    if (free) kept.push_back(i);
  }
  return kept;
}

/// Faces that overlap by more than this are guesses at the same one, as in the OpenCV Zoo's demo.
inline constexpr double kSameFace = 0.3;
inline constexpr std::size_t kFaceCandidates = 5000;

/// Leaves the best guess of each face, best first.
inline std::vector<GridCandidate> best_candidates(const std::vector<GridCandidate>& guesses) {
  const auto kept = suppress(
      guesses.size(), [&](std::size_t i) -> const GridCandidate& { return guesses[i]; },
      [&](std::size_t i) { return guesses[i].score; }, kSameFace, kFaceCandidates);
  std::vector<GridCandidate> faces;
  faces.reserve(kept.size());
  for (const std::size_t i : kept) faces.push_back(guesses[i]);
  return faces;
}

}  // namespace fer
