// Reads frames in a device's memory, and draws on them, by the kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cuda/kernel_table.h"
#include "vision/frame_memory.h"

namespace fer::kernels {

/// Memory of a device that grows as it is needed and is given back in the end.
class DeviceBytes {
 public:
  explicit DeviceBytes(const KernelTable& kernels) : kernels_(kernels) {}
  ~DeviceBytes();
  DeviceBytes(const DeviceBytes&) = delete;
  DeviceBytes& operator=(const DeviceBytes&) = delete;

  /// At least so many; what was in them is lost. Throws std::runtime_error with CUDA's words.
  void* need(std::size_t bytes);

 private:
  const KernelTable& kernels_;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

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

  /// Draws, and waits until it is done. Shapes and coverage (`coverage_bytes` of it) are the
  /// processor's, the canvas is the device's. Throws as cut() does.
  void blend(BlendShapes blend, std::size_t coverage_bytes);

 private:
  /// Brings arguments_ to the device.
  const std::uint8_t* upload_arguments();

  const KernelTable& kernels_;
  Stream stream_ = nullptr;
  std::vector<std::uint8_t> arguments_;  ///< Of one launch, as they lie on the device.
  DeviceBytes device_arguments_, pictures_;
};

}  // namespace fer::kernels
