#include "fleet/fleet.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "config/problems.h"

namespace fer {
namespace {

template <typename One>
std::shared_ptr<One> named(const std::vector<std::shared_ptr<One>>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& one) { return one->config().name == name; });
  return found == all.end() ? nullptr : *found;
}

CameraShared shared_of(const ServiceConfig& config, const CameraConfig& camera) {
  CameraShared shared;
  if (const SlotConfig* slot = config.slot(camera.slot)) shared.slot = *slot;
  shared.metrics = config.metrics;
  shared.pictures = config.page.enabled && config.page.pictures;
  shared.picture_width = config.page.picture_width;
  shared.picture_rate = config.page.picture_rate;
  return shared;
}

}  // namespace

Fleet::Changes Fleet::apply(const ServiceConfig& config) {
  Changes changes;
  std::vector<std::shared_ptr<Camera>> gone, next_cameras;
  for (const auto& running : cameras()) {
    const auto wanted =
        std::find_if(config.cameras.begin(), config.cameras.end(),
                     [&](const CameraConfig& one) { return one == running->config(); });
    const bool stays =
        wanted != config.cameras.end() && running->shared() == shared_of(config, *wanted);
    (stays ? next_cameras : gone).push_back(running);
  }
  changes.kept = static_cast<int>(next_cameras.size());
  changes.stopped = static_cast<int>(gone.size());
  for (const auto& camera : gone) camera->stop();
  for (const auto& camera : gone) camera->end();

  std::vector<std::shared_ptr<Slot>> next_slots;
  {
    // What holds a slot's learner must let it go before one with other settings can be made.
    const std::lock_guard lock(mutex_);
    cameras_ = next_cameras;
    for (const auto& slot : std::exchange(slots_, {})) {
      const SlotConfig* wanted = config.slot(slot->config().name);
      if (wanted && *wanted == slot->config()) next_slots.push_back(slot);
    }
    slots_ = next_slots;
  }
  std::vector<Problem> failed;
  std::vector<std::shared_ptr<Slot>> in_order;
  for (const SlotConfig& slot : config.slots) {
    std::shared_ptr<Slot> running = named(next_slots, slot.name);
    try {
      if (!running) running = std::make_shared<Slot>(slot);
      in_order.push_back(std::move(running));
    } catch (const std::exception& error) {
      failed.push_back({slot.line.number, error.what()});
    }
  }
  std::vector<std::shared_ptr<Camera>> all;
  for (const CameraConfig& camera : config.cameras) {
    std::shared_ptr<Camera> running = named(next_cameras, camera.name);
    if (!running && named(in_order, camera.slot)) {
      running = std::make_shared<Camera>(camera, shared_of(config, camera));
      ++changes.started;
    }
    if (running) all.push_back(std::move(running));
  }
  {
    const std::lock_guard lock(mutex_);
    cameras_ = std::move(all);
    slots_ = std::move(in_order);
  }
  if (!failed.empty()) throw ConfigError(config.file.string(), failed);
  return changes;
}

void Fleet::stop() {
  const auto running = cameras();
  for (const auto& camera : running) camera->stop();
  for (const auto& camera : running) camera->end();
  const std::lock_guard lock(mutex_);
  cameras_.clear();
  slots_.clear();
}

std::vector<std::shared_ptr<Camera>> Fleet::cameras() const {
  const std::lock_guard lock(mutex_);
  return cameras_;
}

std::vector<std::shared_ptr<Slot>> Fleet::slots() const {
  const std::lock_guard lock(mutex_);
  return slots_;
}

std::shared_ptr<Camera> Fleet::camera(const std::string& name) const {
  return named(cameras(), name);
}

std::shared_ptr<Slot> Fleet::slot(const std::string& name) const {
  return named(slots(), name);
}

}  // namespace fer
