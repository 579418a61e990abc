#include "model/slot.h"

#include <map>
#include <utility>

namespace fer {

ModelSlot::ModelSlot() : queue_([this] { return current(); }) {}

std::shared_ptr<ModelSlot> ModelSlot::get(const std::string& name) {
  if (name.empty()) return std::make_shared<ModelSlot>();
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<ModelSlot>> slots;
  const std::lock_guard lock(mutex);
  std::erase_if(slots, [](const auto& entry) { return entry.second.expired(); });
  std::shared_ptr<ModelSlot> slot = slots[name].lock();
  if (!slot) slots[name] = slot = std::make_shared<ModelSlot>();
  return slot;
}

std::shared_ptr<const Classifier> ModelSlot::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::shared_ptr<const Classifier> ModelSlot::swap(std::shared_ptr<const Classifier> next) {
  const std::lock_guard lock(mutex_);
  ++generation_;
  return std::exchange(current_, std::move(next));
}

std::shared_ptr<const Classifier> ModelSlot::install_first(
    std::shared_ptr<const Classifier> first) {
  const std::lock_guard lock(mutex_);
  if (!current_) {
    current_ = std::move(first);
    ++generation_;
  }
  return current_;
}

std::uint64_t ModelSlot::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

}  // namespace fer
