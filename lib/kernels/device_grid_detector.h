// The project's own detector on a device: from the network's input to faces.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/device_bytes.h"
#include "kernels/kernel_table.h"
#include "vision/detection_grid.h"
#include "vision/grid_layer.h"

namespace fer::kernels {

/// One network on one device. As with DeviceFrames, that device must be the thread's current one at
/// every call and at destruction.
class DeviceGridDetector {
 public:
  /// Copies the weights to the device. Throws std::runtime_error with CUDA's words, and
  /// std::invalid_argument where a layer has another number of weights than its shape asks for.
  DeviceGridDetector(const KernelTable& kernels, std::shared_ptr<const GridLayers> layers,
                     Stream stream);

  const std::shared_ptr<const GridLayers>& layers() const { return layers_; }

  /// The buffer for the next input: height x width grey levels, fp32, in the device's memory. The
  /// sides are multiples of kLargestStride. Throws as the constructor does, and
  /// std::invalid_argument where the layers do not fit one another or are no detector's.
  float* input(int height, int width);

  /// Runs the network on the input and appends the faces that score `min_score` or more, in pixels
  /// of the input; kMaxFaces at most. Waits for the device. Throws std::runtime_error with CUDA's
  /// words.
  void run(float min_score, Stream stream, std::vector<GridCandidate>& faces);

 private:
  static constexpr int kMaxFaces = 512;
  /// The result as it lies on the device, copied back in one piece.
  struct Answer {
    int faces, guesses;
    GridCandidate face[kMaxFaces];
  };

  /// Prepares all launches for inputs of this size.
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
