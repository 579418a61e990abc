// Reloads a model file when it is replaced, off the streaming thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "export.h"
#include "model/classifier.h"

namespace fer {

/// Looks at a file's identity, size and time from a thread of its own, and opens it when they changed.
/// Polling, since renames across network file systems raise no events.
class FER_API ModelWatcher {
 public:
  /// `on_model` gets each newly opened model, `on_error` the sentence of each failure (once a version
  /// of the file); both are called on the watcher's thread.
  ModelWatcher(std::filesystem::path path, Precision precision, std::chrono::milliseconds interval,
               std::function<void(std::shared_ptr<const Classifier>)> on_model,
               std::function<void(const std::string&)> on_error);
  /// Waits for a load under way.
  ~ModelWatcher();

 private:
  void watch();

  const std::filesystem::path path_;
  const Precision precision_;
  const std::chrono::milliseconds interval_;
  const std::function<void(std::shared_ptr<const Classifier>)> on_model_;
  const std::function<void(const std::string&)> on_error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;  ///< Guarded by mutex_.
  std::thread thread_;
};

}  // namespace fer
