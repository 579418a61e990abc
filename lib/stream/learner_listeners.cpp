#include "stream/learner_listeners.h"

#include <utility>

namespace fer {

Learner::Subscription::~Subscription() {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  state_->ended = true;
}

Learner::Subscription::Subscription(Subscription&&) noexcept = default;

Learner::Subscription& Learner::Subscription::operator=(Subscription&& other) noexcept {
  Subscription before(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}

}  // namespace fer
