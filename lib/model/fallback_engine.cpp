#include "model/fallback_engine.h"

#include <exception>
#include <utility>

#include "util/first_line.h"

namespace fer {

FallbackEngine::FallbackEngine(std::unique_ptr<const InferenceEngine> first, Maker make_second)
    : first_(std::move(first)), make_second_(std::move(make_second)) {}

FallbackEngine::FallbackEngine(const Maker& make_first, Maker make_second,
                               const std::string& device)
    : make_second_(std::move(make_second)) {
  try {
    first_ = make_first();
  } catch (const std::exception& error) {
    second(device + " cannot take the model: " + first_line(error.what()));
  }
}

void FallbackEngine::run(const std::uint8_t* crops, std::size_t n, float* logits) const {
  std::string reason;
  if (!fell_back_) {
    try {
      first_->run(crops, n, logits);
      return;
    } catch (const std::exception& error) {
      reason = first_->name() + " failed: " + first_line(error.what());
    }
  }
  second(reason).run(crops, n, logits);
}

std::string FallbackEngine::fallback() const {
  return fell_back_ ? reason_ : std::string();
}

const InferenceEngine& FallbackEngine::current() const {
  return fell_back_ ? *second_ : *first_;
}

const InferenceEngine& FallbackEngine::second(const std::string& reason) const {
  const std::lock_guard lock(mutex_);
  if (!second_) {
    second_ = make_second_();
    reason_ = reason;
    fell_back_ = true;
  }
  return *second_;
}

}  // namespace fer
