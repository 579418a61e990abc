#include "model/slot.h"

#include <map>
#include <utility>

#include "model/model_watcher.h"

namespace fer {

ModelSlot::ModelSlot() : queue_([this] { return current(); }) {}

ModelSlot::~ModelSlot() = default;

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

std::shared_ptr<const Classifier> ModelSlot::open(const Source& source) {
  const std::lock_guard opening(opening_);
  if (auto serving = current()) return serving;
  const FileStamp stamp = FileStamp::of(source.path);
  auto first = Classifier::open(source.path, source.precision, source.device);
  {
    const std::lock_guard lock(mutex_);
    if (current_) return current_;  // somebody swapped one in meanwhile
    current_ = from_file_ = first;
    source_ = source.path;
  }
  if (source.reload) {
    watcher_ = std::make_unique<ModelWatcher>(
        ModelWatcher::Options{source.path, stamp, source.precision, source.device, source.interval},
        [this](std::shared_ptr<const Classifier> next) { reloaded(std::move(next)); },
        [this](const std::string& error) { failed(error); });
  }
  return first;
}

std::shared_ptr<const Classifier> ModelSlot::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::filesystem::path ModelSlot::source() const {
  const std::lock_guard lock(mutex_);
  return source_;
}

std::shared_ptr<const Classifier> ModelSlot::swap(std::shared_ptr<const Classifier> next) {
  const std::lock_guard lock(mutex_);
  if (current_) ++swaps_;
  from_file_.reset();
  return std::exchange(current_, std::move(next));
}

void ModelSlot::reloaded(std::shared_ptr<const Classifier> next) {
  const std::lock_guard lock(mutex_);
  if (current_ != from_file_) return;
  ++swaps_;
  // What served before goes on to `next`, and with it once the lock is dropped.
  from_file_ = next;
  current_.swap(next);
}

void ModelSlot::failed(const std::string& error) {
  const std::lock_guard lock(mutex_);
  if (current_ != from_file_) return;
  ++failures_.count;
  failures_.last = error;
}

ModelSlot::Failures ModelSlot::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

std::uint64_t ModelSlot::swaps() const {
  const std::lock_guard lock(mutex_);
  return swaps_;
}

}  // namespace fer
