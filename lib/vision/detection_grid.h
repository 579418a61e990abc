// Decodes the output maps of the project's own detector: each cell is a candidate for a face. Free
// of OpenCV, since training and the kernels decode with it too.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "util/host_device.h"

namespace fer {

/// Strides of the detector's maps, in order. The sides of an input are multiples of the largest.
inline constexpr std::array kCellStrides{8, 16, 32};
inline constexpr int kLargestStride = kCellStrides.back();
/// The smallest side of an input. OpenCV, from 4.7 to 4.10 at least, gives wrong results for a
/// depthwise convolution over a map of one row or column.
inline constexpr int kMinInputSide = 2 * kLargestStride;

/// Values of a cell, one plane each: the logit of the score; the box as its centre and the
/// logarithms of width and height; five landmarks. Lengths are in strides, and a point lies at
/// (cell + value) * stride.
inline constexpr int kCellPoints = 5;
inline constexpr int kCellValues = 1 + 4 + 2 * kCellPoints;

/// Logarithms of sizes are clamped to this: only a broken network exceeds it.
inline constexpr float kLargestLogSize = 8;

/// A candidate for a face, in pixels of the network's input.
struct GridCandidate {
  float x = 0, y = 0, width = 0, height = 0;  ///< Upper left corner and size.
  float score = 0;                            ///< In [0, 1].
  std::array<float, 2 * kCellPoints> points{};
};

/// The side to which a picture's side is padded: a multiple of `multiple`, at least `min`.
constexpr int padded_side(int side, int multiple, int min) {
  return std::max(min, (side + multiple - 1) / multiple * multiple);
}

/// The logit of a score. Scores are compared as logits: the exponential is then computed only for
/// the few that pass.
inline float min_logit_of(float min_score) {
  const float share = std::clamp(min_score, 1e-6f, 1 - 1e-6f);
  return std::log(share / (1 - share));
}

/// Decodes cell `i` of a map of kCellValues x `plane` values that is `columns` cells wide.
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

/// False where a broken network gave numbers that are not finite.
FER_HOST_DEVICE inline bool is_finite(const GridCandidate& face) {
  return std::isfinite(face.x + face.y + face.width + face.height);
}

/// Appends the candidates of a map (kCellValues x rows x columns) that score `min_score` or more.
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

/// Non-maximum suppression: indices of the boxes that no better box overlaps by more than `overlap`
/// (IoU), best first. Considers the best `candidates` boxes. `box(i)` and `score(i)` return the box
/// and score of index i < count.
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

/// Candidates that overlap by more than this (IoU) are the same face, as in the OpenCV Zoo's demo.
inline constexpr double kSameFace = 0.3;
inline constexpr std::size_t kFaceCandidates = 5000;

/// The best candidate of each face, best first.
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
