// Reloads a model file when it is replaced, off the streaming thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "export.h"
#include "model/classifier.h"

namespace fer {

/// What tells one version of a file from another, without reading it.
class FER_API FileStamp {
 public:
  /// Of the file as it is now, and of what lies beside it where it is an ONNX network: its
  /// description, and the file that vouches for its bytes. All zero where there is none: being
  /// replaced, perhaps.
  static FileStamp of(const std::filesystem::path& path);

  /// False where there was no file.
  bool exists() const { return model_ != OneFile(); }
  bool operator==(const FileStamp&) const = default;

 private:
  struct OneFile {
    std::uint64_t device = 0, inode = 0;
    std::int64_t size = 0, seconds = 0, nanoseconds = 0;
    bool operator==(const OneFile&) const = default;
  };
  static OneFile stamp_of(const std::filesystem::path& path);

  OneFile model_, description_, sum_;
};

/// Looks at a file's identity, size and time from a thread of its own, and opens it when they
/// changed and then stayed for an interval: a file that is still being written is left alone.
/// Polling, since renames across network file systems raise no events.
class FER_API ModelWatcher {
 public:
  /// What is watched, and how the model is laid out.
  struct Options {
    std::filesystem::path path;  ///< Of the model file.
    FileStamp known;             ///< The version that serves already; taken before it was opened.
    Precision precision = Precision::kAuto;   ///< As Classifier::open() takes it.
    std::string device = "cpu";               ///< As resolve_device() takes it.
    std::chrono::milliseconds interval{500};  ///< Between two looks at the file.
  };

  /// `on_model` gets each newly opened model, `on_error` the sentence of each failure (once a
  /// version of the file); both are called on the watcher's thread, and must not throw.
  ModelWatcher(Options options, std::function<void(std::shared_ptr<const Classifier>)> on_model,
               std::function<void(const std::string&)> on_error);
  /// Waits for a load under way.
  ~ModelWatcher();
  ModelWatcher(const ModelWatcher&) = delete;
  ModelWatcher& operator=(const ModelWatcher&) = delete;

 private:
  void watch();

  const Options options_;
  const std::function<void(std::shared_ptr<const Classifier>)> on_model_;
  const std::function<void(const std::string&)> on_error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;  ///< Guarded by mutex_.
  std::thread thread_;
};

}  // namespace fer
