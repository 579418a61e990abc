// Results of inputs that are done, so that a folder goes on where it was stopped.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "model/atomic_file.h"
#include "watch/watch_result.h"

namespace fer {

/// A small picture of a frame.
struct Thumbnail {
  double time = 0;
  std::string jpeg_base64;
};

/// Takes the results of one unit, one input after the other. Only what was committed is there
/// afterwards. Files are their owner's alone: they hold what faces showed. All throw
/// std::runtime_error that names the file and the reason.
class PartWriter {
 public:
  explicit PartWriter(const std::filesystem::path& file);

  void add(const std::string& input, const SeenFrame& frame);
  /// Ends an input.
  void end(const WatchResult& result, const std::vector<std::string>& classes);
  void commit();

 private:
  AtomicFile file_;
};

/// What a part holds, in its order. Callbacks that are empty are not called.
class PartReader {
 public:
  std::function<void(const nlohmann::ordered_json& row)> on_row;
  std::function<void(const std::string& line)> on_row_line;  ///< The row as it stands there.
  std::function<void(const std::string& input, Thumbnail)> on_thumbnail;
  std::function<void(WatchResult, std::vector<std::string> classes)> on_end;

  /// Throws std::runtime_error where the file cannot be read or holds something else.
  void read(const std::filesystem::path& file) const;

 private:
  void take(const std::string& line) const;
};

/// The folder of the parts of a run.
class Parts {
 public:
  /// Beside `output`; made by make(). `settings`: what else results depend on.
  Parts(const std::filesystem::path& output, std::string settings);
  /// Makes the folder; with `restart`, an empty one.
  void make(bool restart) const;

  /// Of a unit that was done: the same names, sizes, times and settings have the same.
  std::filesystem::path done(const WatchUnit& unit) const;
  /// Of one that somebody stopped: it is watched again.
  std::filesystem::path stopped(const WatchUnit& unit) const;
  void remove() const;

 private:
  std::filesystem::path named(const WatchUnit& unit, const char* ending) const;

  const std::filesystem::path folder_;
  const std::string settings_;
};

}  // namespace fer
