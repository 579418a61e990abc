// Serving goes on where a device gives out.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "model/inference_engine.h"

namespace fer {

/// Computes by one engine until that fails, for lack of memory say, and by another from then on,
/// beginning with what the first could not do.
class FallbackEngine final : public InferenceEngine {
 public:
  using Maker = std::function<std::unique_ptr<const InferenceEngine>()>;
  /// `make_second` is called once, if at all; what it throws, run() throws.
  FallbackEngine(std::unique_ptr<const InferenceEngine> first, Maker make_second);
  /// The second from the start where the first, on `device`, cannot be made: where the device has
  /// no memory left, or LibTorch no code for it. Throws what `make_second` throws then.
  FallbackEngine(const Maker& make_first, Maker make_second, const std::string& device);

  void run(const std::uint8_t* crops, std::size_t n, float* logits) const override;
  bool divisible() const override { return current().divisible(); }
  std::string name() const override { return current().name(); }
  std::string fallback() const override;

 private:
  const InferenceEngine& current() const;
  /// `reason`: in words, with who failed.
  const InferenceEngine& second(const std::string& reason) const;

  std::unique_ptr<const InferenceEngine> first_;  ///< Null where it could not be made.
  const Maker make_second_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const InferenceEngine> second_;  ///< Guarded by mutex_ until it is there.
  mutable std::string reason_;                             ///< The same.
  mutable std::atomic<bool> fell_back_{false};  ///< Both are there, and stay as they are.
};

}  // namespace fer
