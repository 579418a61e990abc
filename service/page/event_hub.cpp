#include "page/event_hub.h"

#include <algorithm>
#include <utility>

namespace fer {

std::optional<std::string> EventHub::Subscriber::next(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (!ready_.wait_for(lock, timeout, [&] { return !events_.empty(); })) return std::nullopt;
  std::string event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::size_t EventHub::Subscriber::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void EventHub::Subscriber::push(const std::string& event) {
  {
    const std::lock_guard lock(mutex_);
    if (events_.size() >= kQueue) {
      events_.pop_front();
      ++lost_;
    }
    events_.push_back(event);
  }
  ready_.notify_one();
}

std::shared_ptr<EventHub::Subscriber> EventHub::subscribe() {
  auto subscriber = std::make_shared<Subscriber>();
  const std::lock_guard lock(mutex_);
  subscribers_.push_back(subscriber);
  return subscriber;
}

void EventHub::publish(const std::string& kind, const std::string& data) {
  const std::string event = "event: " + kind + "\ndata: " + data + "\n\n";
  std::vector<std::shared_ptr<Subscriber>> listening;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(subscribers_, [](const auto& one) { return one.expired(); });
    for (const auto& one : subscribers_)
      if (auto subscriber = one.lock()) listening.push_back(std::move(subscriber));
  }
  for (const auto& subscriber : listening) subscriber->push(event);
}

bool EventHub::listened() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(subscribers_.begin(), subscribers_.end(),
                     [](const auto& one) { return !one.expired(); });
}

}  // namespace fer
