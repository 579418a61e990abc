#include "model/model_watcher.h"

#include <sys/stat.h>

#include <tuple>

namespace fer {
namespace {

using Stamp = std::tuple<dev_t, ino_t, off_t, time_t, long>;

/// All zero where there is no file: being replaced, perhaps.
Stamp stamp_of(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

}  // namespace

ModelWatcher::ModelWatcher(std::filesystem::path path, Precision precision,
                           std::chrono::milliseconds interval,
                           std::function<void(std::shared_ptr<const Classifier>)> on_model,
                           std::function<void(const std::string&)> on_error)
    : path_(std::move(path)),
      precision_(precision),
      interval_(interval),
      on_model_(std::move(on_model)),
      on_error_(std::move(on_error)),
      thread_([this] { watch(); }) {}

ModelWatcher::~ModelWatcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ModelWatcher::watch() {
  Stamp known = stamp_of(path_);
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, interval_, [this] { return stop_; })) {
    const Stamp now = stamp_of(path_);
    if (now == known || now == Stamp{}) continue;
    known = now;
    lock.unlock();
    try {
      on_model_(Classifier::open(path_, precision_));
    } catch (const std::exception& error) {
      on_error_(error.what());
    }
    lock.lock();
  }
}

}  // namespace fer
