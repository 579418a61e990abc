// Folders that results go to.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace fer {

/// Makes the folder and those above it, as far as they are not there. Throws std::runtime_error
/// that names what is in its way.
inline void make_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error, ignored;
  fs::create_directories(folder, error);
  if (!error) return;
  for (fs::path above = folder; !above.empty(); above = above.parent_path()) {
    if (fs::exists(above, ignored) && !fs::is_directory(above, ignored)) {
      throw std::runtime_error(folder.string() + ": expected a folder, or a place for one, but " +
                               above.string() + " is a file; name another folder");
    }
    if (above == above.parent_path()) break;
  }
  throw std::runtime_error(folder.string() + ": the folder cannot be made: " + error.message());
}

}  // namespace fer
