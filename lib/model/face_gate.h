// Whether a crop shows a face of the kind that a model knows: a linear classifier on a middle map
// of a network. Free of LibTorch.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "export.h"

namespace fer {

/// Accepts a middle map where weight · features + bias >= line. The features are the map averaged
/// over `grid` x `grid` cells, channel by channel: C · grid · grid numbers.
///
/// It is fitted by fit_face_gate() to labelled faces against their own copies, turned upside down
/// and cut into shuffled tiles; no other picture is needed.
struct FaceGate {
  std::string network;  ///< `version` of the model file whose maps it judges.
  int blocks = 0;       ///< The map lies above so many residual blocks of it.
  int grid = 3;
  std::vector<float> weight;
  float bias = 0;
  float line = 0;

  /// `features`: as many as weight. Throws std::invalid_argument for another number.
  FER_API float score(std::span<const float> features) const;
  bool accepts(std::span<const float> features) const { return score(features) >= line; }
};

/// Averages a map (channels x height x width) over grid x grid cells: cell i of a side of S pixels
/// begins at ⌊i S / grid⌋ and ends before ⌈(i + 1) S / grid⌉, as LibTorch's adaptive pooling has
/// it. Throws std::invalid_argument where the map's size is not what its shape says.
FER_API std::vector<float> pooled_map(std::span<const float> map, int channels, int height,
                                      int width, int grid);

/// A safetensors file, written atomically; it lies beside the model as NAME.gate.
FER_API void write_face_gate(const std::filesystem::path& path, const FaceGate& gate);

/// Throws std::runtime_error: file, what was expected, what was found.
FER_API FaceGate read_face_gate(const std::filesystem::path& path);

}  // namespace fer
