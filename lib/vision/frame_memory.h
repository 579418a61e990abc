// Frames in memory that the processor cannot read. Free of OpenCV, since the kernels read them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "vision/crop_plan.h"
#include "vision/detection_grid.h"
#include "vision/frame.h"
#include "vision/grid_layer.h"

namespace fer {

/// The memory of a device. Frames stay there: only the small pictures for detectors and models are
/// copied out. For one thread at a time.
class FrameMemory {
 public:
  /// A planar picture, 8 bits per channel: grey, or R, G, B.
  struct Picture {
    int channels = 1, width = 0, height = 0;
    int bytes() const { return channels * width * height; }
  };

  virtual ~FrameMemory() = default;
  /// Cuts the crops of all plans, as crop_face() does for frames that the processor can read.
  /// Copies plans.size() pictures of picture.bytes() bytes to `out`, one after the other, and waits
  /// for them. `frame` must lie in this memory and pass check_frame(). Throws std::runtime_error
  /// with the device's words where it fails.
  virtual void cut(const FrameView& frame, std::span<const CropPlan> plans, const Picture& picture,
                   std::uint8_t* out) = 0;

  /// Shrinks the frame to width x height and runs our own detector on the device. Appends the faces
  /// that score `min_score` or more, in pixels of the shrunk picture, and waits for them. Returns
  /// false and does nothing where that picture would be larger than the frame. Throws as cut()
  /// does.
  virtual bool find_cells(const FrameView& frame, int width, int height,
                          const std::shared_ptr<const GridLayers>& layers, float min_score,
                          std::vector<GridCandidate>& faces) = 0;
};

}  // namespace fer
