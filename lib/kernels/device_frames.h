// Reads frames in a device's memory, and draws on them, by the kernels.
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

/// All calls, and the end of its life, need the same device, and where there are several contexts
/// the same one, to be the thread's current one.
class DeviceFrames final : public FrameMemory {
 public:
  explicit DeviceFrames(const KernelTable& kernels);

  /// Work goes into this stream from now on; null: the context's own.
  void use(Stream stream) { stream_ = stream; }

  /// One launch for all plans.
  void cut(const FrameView& frame, std::span<const CropPlan> plans, const Picture& picture,
           std::uint8_t* out) override;

  bool find_cells(const FrameView& frame, int width, int height,
                  const std::shared_ptr<const GridLayers>& layers, float min_score,
                  std::vector<GridCandidate>& faces) override;

  /// Draws, and waits until it is done. Shapes and coverage (`coverage_bytes` of it) are the
  /// processor's, the canvas is the device's. Throws as cut() does.
  void blend(BlendShapes blend, std::size_t coverage_bytes);

 private:
  /// Brings arguments_ to the device.
  const std::uint8_t* upload_arguments();
  /// Shrinks the whole frame into the corner of `out`.
  void shrink(const FrameView& frame, int width, int height, const Batch& out);

  const KernelTable& kernels_;
  Stream stream_ = nullptr;
  std::vector<std::uint8_t> arguments_;  ///< Of one launch, as they lie on the device.
  DeviceBytes device_arguments_, pictures_;
  std::optional<DeviceGridDetector> cells_;  ///< Of the detector that asked last.
};

}  // namespace fer::kernels
