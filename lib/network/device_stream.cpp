#include "network/device_stream.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace fer {
namespace {

/// As many as LibTorch has of a device and urgency, handed out in turn to whoever asks.
constexpr int kStreams = 32;

TakenStreams& taken_streams() {
  // Never destroyed: models may outlive what is static.
  static auto* const taken = new TakenStreams;
  return *taken;
}

}  // namespace

std::optional<c10::Stream> TakenStreams::take(const std::function<c10::Stream()>& next, int tries) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < tries; ++i) {
    const c10::Stream stream = next();
    if (taken_.insert(stream).second) return stream;
  }
  return std::nullopt;
}

void TakenStreams::give_back(const c10::Stream& stream) {
  const std::lock_guard lock(mutex_);
  taken_.erase(stream);
}

DeviceStream::DeviceStream(torch::Device device, Urgency urgency) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl streams(device.type());
  const auto next = [&] {
    return streams.getStreamFromGlobalPool(device, urgency == Urgency::kServing);
  };
  stream_ = taken_streams().take(next, kStreams);
  own_ = stream_.has_value();
  if (!own_) stream_ = next();
}

DeviceStream::~DeviceStream() {
  if (own_) taken_streams().give_back(*stream_);
}

}  // namespace fer
