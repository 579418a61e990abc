#include "terminal/output_files.h"

#include <unistd.h>

#include <cerrno>
#include <set>
#include <stdexcept>
#include <system_error>

#include "model/atomic_file.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

}  // namespace

void require_writable(const fs::path& file) {
  if (is_stream(file)) {
    if (::access(file.c_str(), W_OK) == 0) return;
    throw std::runtime_error(file.string() +
                             ": cannot be written: " + std::generic_category().message(errno));
  }
  const fs::path replaced = replaced_file(file);
  const fs::path folder = replaced.has_parent_path() ? replaced.parent_path() : fs::path(".");
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    throw std::runtime_error(file.string() + ": there is no folder " + folder.string());
  if (fs::is_directory(replaced, ignored))
    throw std::runtime_error(file.string() + ": expected a file to write, found a folder");
  if (fs::exists(replaced, ignored) && !fs::is_regular_file(replaced, ignored))
    throw std::runtime_error(file.string() +
                             ": expected a file to write, found a disk or a socket");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw std::runtime_error(
        file.string() + ": cannot write in its folder: " + std::generic_category().message(errno));
  }
}

void require_writable_folder(const fs::path& folder) {
  fs::path there = fs::absolute(folder);
  std::error_code ignored;
  while (!fs::exists(there, ignored) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, ignored)) {
    throw std::runtime_error(folder.string() + ": expected a folder to write to, found a file" +
                             (there == fs::absolute(folder) ? "" : " at " + there.string()));
  }
  if (::access(there.c_str(), W_OK | X_OK) != 0) {
    throw std::runtime_error(folder.string() + ": cannot write in " + there.string() + ": " +
                             std::generic_category().message(errno));
  }
}

void require_outputs(const std::vector<fs::path>& outputs, const std::vector<fs::path>& inputs) {
  std::set<fs::path> written;
  for (const fs::path& output : outputs) {
    if (output.empty()) continue;
    require_writable(output);
    if (is_stream(output)) continue;
    std::error_code not_there;
    for (const fs::path& input : inputs) {
      if (fs::equivalent(output, input, not_there)) {
        throw std::runtime_error(output.string() +
                                 ": is read by this command, and would be lost; name another file "
                                 "to write");
      }
    }
    const fs::path file = replaced_file(output);
    if (!written.insert(fs::weakly_canonical(file)).second) {
      throw std::runtime_error(output.string() +
                               ": is named for two files at once; name another for one of them");
    }
  }
}

}  // namespace fer
