// Streams of a CUDA device, by how urgent their work is. What shows one shows LibTorch.
#pragma once

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/types.h>

#include <optional>

namespace fer {

/// Where both have work, the device turns to what serves first.
enum class Urgency { kServing, kLearning };

/// Makes a stream of LibTorch's the current one of its thread for as long as it lives. Tensors that
/// were made on a stream are to be used on it: one DeviceStream goes with one set of networks. On
/// the processor it does nothing.
class DeviceStream {
 public:
  DeviceStream(torch::Device device, Urgency urgency) {
    if (device.is_cpu()) return;
    stream_ = c10::impl::VirtualGuardImpl(device.type())
                  .getStreamFromGlobalPool(device, urgency == Urgency::kServing);
  }

  class Scope {
   public:
    explicit Scope(const DeviceStream& on) {
      if (on.stream_) guard_.reset_stream(*on.stream_);
    }

   private:
    c10::OptionalStreamGuard guard_;
  };

 private:
  std::optional<c10::Stream> stream_;
};

}  // namespace fer
