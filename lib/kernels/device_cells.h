// The project's own detector on a device, from its network's input to the faces in what it says.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/device_bytes.h"
#include "kernels/kernel_table.h"
#include "vision/cell_layer.h"
#include "vision/face_cells.h"

namespace fer::kernels {

/// One network on one device. All calls, and the end of its life, need that device to be the
/// thread's current one, as DeviceFrames says.
class DeviceCells {
 public:
  /// Brings the weights to the device. Throws std::runtime_error with CUDA's words, and
  /// std::invalid_argument where there are more or fewer than the layers say.
  DeviceCells(const KernelTable& kernels, std::shared_ptr<const CellLayers> layers, Stream stream);

  const std::shared_ptr<const CellLayers>& layers() const { return layers_; }

  /// Where the next input of height x width grey levels goes, fp32. The sides are multiples of
  /// kLargestStride. Throws as the constructor does, and std::invalid_argument where the layers do
  /// not fit one another or are no detector's.
  float* input(int height, int width);

  /// Appends the best guess of each face in it that scores `least_score` or more, in its pixels;
  /// kMostFaces at most. Waits for the device. Throws std::runtime_error with CUDA's words.
  void run(float least_score, Stream stream, std::vector<CellFace>& faces);

 private:
  static constexpr int kMostFaces = 512;
  /// As it lies on the device, and is fetched in one piece.
  struct Answer {
    int faces, guesses;
    CellFace face[kMostFaces];
  };

  /// All launches for inputs of this size.
  void plan(int height, int width);

  const KernelTable& kernels_;
  const std::shared_ptr<const CellLayers> layers_;
  DeviceBytes weights_, values_, answer_;
  std::vector<std::size_t> weight_at_;  ///< Of each layer among the weights; its bias follows.
  // Of the input's size, made anew where that changes.
  FeatureMaps input_;
  std::vector<RunLayer> steps_;
  DecodeDetections decode_;
};

}  // namespace fer::kernels
