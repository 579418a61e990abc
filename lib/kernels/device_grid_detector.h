// The project's own detector on a device, from its network's input to the faces in what it says.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/device_bytes.h"
#include "kernels/kernel_table.h"
#include "vision/detection_grid.h"
#include "vision/grid_layer.h"

namespace fer::kernels {

/// One network on one device. All calls, and the end of its life, need that device to be the
/// thread's current one, as DeviceFrames says.
class DeviceGridDetector {
 public:
  /// Brings the weights to the device. Throws std::runtime_error with CUDA's words, and
  /// std::invalid_argument where there are more or fewer than the layers say.
  DeviceGridDetector(const KernelTable& kernels, std::shared_ptr<const GridLayers> layers,
                     Stream stream);

  const std::shared_ptr<const GridLayers>& layers() const { return layers_; }

  /// Where the next input of height x width grey levels goes, fp32. The sides are multiples of
  /// kLargestStride. Throws as the constructor does, and std::invalid_argument where the layers do
  /// not fit one another or are no detector's.
  float* input(int height, int width);

  /// Appends the best guess of each face in it that scores `min_score` or more, in its pixels;
  /// kMaxFaces at most. Waits for the device. Throws std::runtime_error with CUDA's words.
  void run(float min_score, Stream stream, std::vector<GridCandidate>& faces);

 private:
  static constexpr int kMaxFaces = 512;
  /// As it lies on the device, and is fetched in one piece.
  struct Answer {
    int faces, guesses;
    GridCandidate face[kMaxFaces];
  };

  /// All launches for inputs of this size.
  void plan(int height, int width);

  const KernelTable& kernels_;
  const std::shared_ptr<const GridLayers> layers_;
  DeviceBytes weights_, values_, answer_;
  std::vector<std::size_t> weight_at_;  ///< Of each layer among the weights; its bias follows.
  // Of the input's size, made anew where that changes.
  FeatureMaps input_;
  std::vector<RunLayer> steps_;
  DecodeDetections decode_;
};

}  // namespace fer::kernels
