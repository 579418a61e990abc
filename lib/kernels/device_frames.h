// Frames in a device's memory: kernels read them and draw on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/device_bytes.h"
#include "kernels/device_grid_detector.h"
#include "kernels/kernel_table.h"
#include "vision/frame_memory.h"

namespace fer::kernels {

/// At every call, and at destruction, the same device must be the thread's current one; where there
/// are several contexts, the same context too.
class DeviceFrames final : public FrameMemory {
 public:
  explicit DeviceFrames(const KernelTable& kernels);

  /// The stream for all later work; null: the context's default stream.
  void use(Stream stream) { stream_ = stream; }

  /// Cuts the crops of all plans in one launch.
  void cut(const FrameView& frame, std::span<const CropPlan> plans, const Picture& picture,
           std::uint8_t* out) override;

  bool find_cells(const FrameView& frame, int width, int height,
                  const std::shared_ptr<const GridLayers>& layers, float min_score,
                  std::vector<GridCandidate>& faces) override;

  /// Draws, and waits for the device. Shapes and coverage (`coverage_bytes` bytes) lie in the
  /// processor's memory, the canvas in the device's. Throws as cut() does.
  void blend(BlendShapes blend, std::size_t coverage_bytes);

 private:
  /// Copies arguments_ to the device.
  const std::uint8_t* upload_arguments();
  /// Shrinks the whole frame into the upper left corner of `out`.
  void shrink(const FrameView& frame, int width, int height, const Batch& out);

  const KernelTable& kernels_;
  Stream stream_ = nullptr;
  std::vector<std::uint8_t> arguments_;  ///< Of one launch, as they lie on the device.
  DeviceBytes device_arguments_, pictures_;
  std::optional<DeviceGridDetector> cells_;  ///< Of the detector that asked last.
};

}  // namespace fer::kernels
