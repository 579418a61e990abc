// A folder that one process at a time works in.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "util/make_folder.h"

namespace fer {

/// Somebody else works in the folder.
struct FolderBusy : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Holds the folder's file "lock" for as long as it lives; the system lets it go where the process
/// dies.
class FolderLock {
 public:
  /// Whether the programs that this process starts hold it, too, until the last of them ends.
  enum class Children { kNoHold, kHold };

  /// Makes the folder where there is none. `worker`: who works there, for the complaint: "sweep".
  /// Throws FolderBusy where another one does, std::runtime_error where the folder cannot be
  /// written.
  FolderLock(const std::filesystem::path& folder, const std::string& worker, Children children) {
    make_folder(folder);
    const int more = children == Children::kHold ? 0 : O_CLOEXEC;
    file_ = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | more, 0666);
    if (file_ < 0) {
      throw std::runtime_error(folder.string() + ": cannot be written: " +
                               std::generic_category().message(errno) + "; name another folder");
    }
    // Network file systems that know no locks are worked in without.
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
    ::close(file_);
    throw FolderBusy(folder.string() + ": expected a folder that no other " + worker +
                     " works in, found one that is at work; wait for it, or name another folder");
  }
  ~FolderLock() { ::close(file_); }
  /// The open file, to see whether it is still the folder's.
  int file() const { return file_; }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace fer
