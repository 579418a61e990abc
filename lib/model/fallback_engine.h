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

  void run(const std::uint8_t* crops, std::size_t n, float* logits) const override;
  bool divisible() const override { return current().divisible(); }
  std::string name() const override { return current().name(); }
  std::string fallback() const override;

 private:
  const InferenceEngine& current() const;
  const InferenceEngine& second(const std::string& reason) const;

  const std::unique_ptr<const InferenceEngine> first_;
  const Maker make_second_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const InferenceEngine> second_;  ///< Guarded by mutex_ until it is there.
  mutable std::string reason_;                             ///< The same.
  mutable std::atomic<bool> fell_back_{false};  ///< Both are there, and stay as they are.
};

}  // namespace fer
