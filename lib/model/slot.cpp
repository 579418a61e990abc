#include "model/slot.h"

#include <utility>

#include "model/model_watcher.h"
#include "model/stored_model.h"
#include "util/shared_by_name.h"

namespace fer {

ModelSlot::ModelSlot() : queue_([this] { return current(); }) {}

ModelSlot::~ModelSlot() = default;

std::shared_ptr<ModelSlot> ModelSlot::get(const std::string& name) {
  static SharedByName<ModelSlot> slots;
  return slots.get(name, [] { return std::make_shared<ModelSlot>(); });
}

std::shared_ptr<const Classifier> ModelSlot::open(const Source& source) {
  const std::lock_guard opening(opening_);
  if (auto serving = current()) {
    if (layout_) return serving;
    layout_ = source.layout;
    if (serving != laid_out_.lock() || layout_ == Layout()) return serving;
    auto anew = build_engine();
    const std::lock_guard lock(mutex_);
    if (current_ == serving) current_ = std::move(anew);
    return current_;
  }
  const FileStamp stamp = FileStamp::of(source.path);
  auto first = Classifier::open(source.path, source.layout.precision, source.layout.device);
  layout_ = source.layout;
  {
    const std::lock_guard lock(mutex_);
    if (current_) return current_;  // somebody swapped one in meanwhile
    current_ = from_file_ = first;
    source_ = source.path;
  }
  if (source.reload) {
    watcher_ = std::make_unique<ModelWatcher>(
        ModelWatcher::Options{source.path, stamp, source.layout.precision, source.layout.device,
                              source.interval},
        [this](std::shared_ptr<const Classifier> next) { reloaded(std::move(next)); },
        [this](const std::string& error) { failed(error); });
  }
  return first;
}

void ModelSlot::serve(std::shared_ptr<const StoredModel> model) {
  const std::lock_guard opening(opening_);
  served_ = std::move(model);
  swap(build_engine());
}

std::shared_ptr<const Classifier> ModelSlot::build_engine() {
  const Layout layout = layout_.value_or(Layout());
  auto made = std::make_shared<const Classifier>(*served_, layout.precision, layout.device);
  laid_out_ = made;
  return made;
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
