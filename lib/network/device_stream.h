// Streams of a CUDA device, by how urgent their work is. What shows one shows LibTorch.
#pragma once

#include <c10/core/StreamGuard.h>
#include <torch/types.h>

#include <functional>
#include <mutex>
#include <optional>
#include <unordered_set>

namespace fer {

/// Where both have work, the device turns to what serves first.
enum class Urgency { kServing, kLearning };

/// Streams that somebody has to himself. Thread-safe.
class TakenStreams {
 public:
  /// The first that `next` gives and nobody has; nothing where the first `tries` of them are all
  /// taken.
  std::optional<c10::Stream> take(const std::function<c10::Stream()>& next, int tries);
  void give_back(const c10::Stream& stream);

 private:
  std::mutex mutex_;
  std::unordered_set<c10::Stream> taken_;
};

/// Makes a stream of LibTorch's the current one of its thread for as long as it lives. Tensors that
/// were made on a stream are to be used on it: one DeviceStream goes with one set of networks. On
/// the processor it does nothing.
///
/// LibTorch has 32 of each urgency a device. While there are as many DeviceStreams, a further one
/// shares its stream with another.
class DeviceStream {
 public:
  DeviceStream(torch::Device device, Urgency urgency);
  ~DeviceStream();
  DeviceStream(const DeviceStream&) = delete;
  DeviceStream& operator=(const DeviceStream&) = delete;

  /// Whether no other DeviceStream has it: what is recorded on a stream must not meet others' work.
  bool own() const { return own_; }

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
  bool own_ = false;
};

}  // namespace fer
