// A folder for what is needed only while a command runs.
#pragma once

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace fer {

/// A folder under the temporary one that goes with its owner. Nobody else may look into it. Throws
/// std::runtime_error where it cannot be made.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    if (error) {
      throw std::runtime_error("there is no temporary folder (" + error.message() +
                               "); name one in TMPDIR");
    }
    std::string pattern = parent / "fer-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error(parent.string() + ": cannot create a folder in it: " +
                               std::generic_category().message(errno) + "; name another in TMPDIR");
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace fer
