#include "model/model_watcher.h"

#include <sys/stat.h>

#include <exception>
#include <utility>

namespace fer {

FileStamp FileStamp::of(const std::filesystem::path& path) {
  struct stat info {};
  FileStamp stamp;
  if (::stat(path.c_str(), &info) != 0) return stamp;
  stamp.device_ = info.st_dev;
  stamp.inode_ = info.st_ino;
  stamp.size_ = info.st_size;
  stamp.seconds_ = info.st_mtim.tv_sec;
  stamp.nanoseconds_ = info.st_mtim.tv_nsec;
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
