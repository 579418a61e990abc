#include "model/model_watcher.h"

#include <sys/stat.h>

#include <exception>
#include <utility>

#include "model/foreign/onnx_path.h"
#include "vision/sum_file.h"

namespace fer {

FileStamp::OneFile FileStamp::stamp_of(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

FileStamp FileStamp::of(const std::filesystem::path& path) {
  FileStamp stamp;
  stamp.model_ = stamp_of(path);
  if (is_onnx_path(path)) {
    stamp.description_ = stamp_of(onnx_description_path(path));
    stamp.sum_ = stamp_of(sum_file_of(path));
  }
  return stamp;
}

ModelWatcher::ModelWatcher(Options options,
                           std::function<void(std::shared_ptr<const Classifier>)> on_model,
                           std::function<void(const std::string&)> on_error)
    : options_(std::move(options)),
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
  FileStamp known = options_.known, seen = known;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, options_.interval, [this] { return stop_; })) {
    lock.unlock();
    const FileStamp now = FileStamp::of(options_.path);
    if (now == seen && now != known && now.exists()) {
      try {
        auto model = Classifier::open(options_.path, options_.precision, options_.device);
        // Written to while it was read: what was read is neither the one nor the other.
        if (FileStamp::of(options_.path) == now) {
          known = now;
          on_model_(std::move(model));
        }
      } catch (const std::exception& error) {
        if (FileStamp::of(options_.path) == now) {
          known = now;
          on_error_(error.what());
        }
      }
    }
    seen = now;
    lock.lock();
  }
}

}  // namespace fer
