// The folder that a learner keeps its checkpoints in.
#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "util/folder_lock.h"

namespace fer {

/// The folder holds files that no learner of ours wrote.
struct FolderForeign : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A folder that belongs to one learner: only its owner may enter it, a marker file says whose it
/// is, and a lock keeps other learners out.
class CheckpointFolder {
 public:
  static constexpr char kMarker[] = "fer-learner.json";

  /// Makes the folder where there is none, mode 0700; an empty one becomes 0700, too. `source`:
  /// version of the model that learning begins from, for people to read in the marker. Throws
  /// FolderBusy where another learner works there, FolderForeign where files of a learner's names
  /// lie there but no marker (or log of version 0.1), std::runtime_error where it cannot be
  /// written.
  CheckpointFolder(std::filesystem::path path, std::string source);

  /// Makes, marks and locks the folder anew where somebody removed it since. Throws like the
  /// constructor.
  void ensure();

 private:
  void claim();

  const std::filesystem::path path_;
  const std::string source_;
  std::unique_ptr<FolderLock> lock_;
};

}  // namespace fer
