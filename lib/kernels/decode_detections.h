// Decodes the output maps of the project's own detector into faces, many frames in one launch.
#pragma once

#include <array>
#include <cstddef>

#include "util/host_device.h"
#include "vision/detection_grid.h"

namespace fer::kernels {

/// Candidates of a frame that suppression considers: the first that pass the threshold, in the
/// order of maps and cells.
inline constexpr int kMaxGuesses = 4096;

inline constexpr int kFirstStride = kCellStrides.front();
static_assert(kCellStrides.size() == 3 && kCellStrides[1] == 2 * kFirstStride &&
                  kCellStrides[2] == 4 * kFirstStride,
              "each map has half the cells a side of the one before");

/// One launch. Pointers are to the processor's memory for the CPU form and to the device's for the
/// kernel.
struct DecodeDetections {
  int count = 0;  ///< Frames; may be 0.
  /// One map for each stride of kCellStrides: count x kCellValues x rows x columns, fp32.
  std::array<const float*, kCellStrides.size()> maps{};
  int rows = 0, columns = 0;  ///< Size of the first map; each next one has half of both.
  float min_score = 0.6f;

  int max_faces = 0;               ///< Room in `faces` for each frame.
  GridCandidate* faces = nullptr;  ///< count x max_faces: one for each face, best first.
  int* face_counts = nullptr;      ///< count: faces of each frame.
  /// count: candidates of each frame that passed the threshold. Of more than kMaxGuesses the rest
  /// was not considered.
  int* guess_counts = nullptr;
};

/// Throws std::invalid_argument that names what is missing or out of range.
void check(const DecodeDetections& decode);

/// The CPU form, on the calling thread. Throws as check() does.
void decode_detections(const DecodeDetections& decode);

/// Cells of map `level` in one frame.
FER_HOST_DEVICE inline int cells_of(const DecodeDetections& d, int level) {
  return (d.rows >> level) * (d.columns >> level);
}

/// A cell by its number among all maps of a frame.
struct Cell {
  const float* map;  ///< Of its frame.
  int level, index;
};

FER_HOST_DEVICE inline Cell cell_at(const DecodeDetections& d, int frame, int number) {
  int level = 0;
  while (number >= cells_of(d, level)) number -= cells_of(d, level++);
  const auto values = static_cast<std::size_t>(kCellValues * cells_of(d, level));
  return {d.maps[static_cast<std::size_t>(level)] + static_cast<std::size_t>(frame) * values, level,
          number};
}

FER_HOST_DEVICE inline GridCandidate face_at(const DecodeDetections& d, const Cell& cell) {
  return decode_cell(cell.map, static_cast<std::size_t>(cells_of(d, cell.level)),
                     d.columns >> cell.level, kFirstStride << cell.level,
                     static_cast<std::size_t>(cell.index));
}

/// Whether the cell's score passes the threshold.
FER_HOST_DEVICE inline bool passes(const DecodeDetections& d, const Cell& cell, float min_logit) {
  return cell.map[cell.index] >= min_logit && is_finite(face_at(d, cell));
}

}  // namespace fer::kernels
