// Frames that lie where the processor cannot read them. No OpenCV in it: the kernels read them.
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

/// The memory of a device. Of a frame there, no more leaves it than the small pictures that
/// detectors and models look at. For one thread at a time.
class FrameMemory {
 public:
  /// Pictures of 8 bits a channel, one channel after the other: grey, or R, G, B.
  struct Picture {
    int channels = 1, width = 0, height = 0;
    int bytes() const { return channels * width * height; }
  };

  virtual ~FrameMemory() = default;
  /// Cuts out what each plan says, as crop_face() does of frames that the processor can read, into
  /// `out`: plans.size() pictures of picture.bytes(), one after the other. Waits until they are
  /// there. The view must be one of a frame in this memory, whole (check_frame()). Throws
  /// std::runtime_error with the device's words where it fails.
  virtual void cut(const FrameView& frame, std::span<const CropPlan> plans, const Picture& picture,
                   std::uint8_t* out) = 0;

  /// Runs our own detector's network where the frame lies, over a picture of it of width x height,
  /// and appends the best guess of each face that scores `min_score` or more, in pixels of that
  /// picture. Waits until they are there. False, and nothing is done, where the picture is larger
  /// than the frame. Throws as cut() does.
  virtual bool find_cells(const FrameView& frame, int width, int height,
                          const std::shared_ptr<const GridLayers>& layers, float min_score,
                          std::vector<GridCandidate>& faces) = 0;
};

}  // namespace fer
