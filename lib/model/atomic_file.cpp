#include "model/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

namespace fer {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  throw std::runtime_error(path.string() + ": " + what + ": " +
                           std::generic_category().message(errno));
}

/// Removes the temporary file unless it has been renamed.
struct Temporary {
  std::string name;
  int fd = -1;
  bool kept = false;
  ~Temporary() {
    if (fd >= 0) ::close(fd);
    if (!kept && !name.empty()) ::unlink(name.c_str());
  }
};

}  // namespace

void write_atomically(const std::filesystem::path& path,
                      const std::vector<std::string_view>& pieces) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  Temporary temporary;
  std::string pattern = folder / ".";
  pattern.append(path.filename().string()).append(".XXXXXX");
  temporary.fd = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (temporary.fd < 0) fail(path, "cannot create a temporary file beside it");
  temporary.name = pattern;
  // mkostemp makes files that only the owner reads; give what open() would.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(temporary.fd, 0666 & ~mask);
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const ssize_t written = ::write(temporary.fd, piece.data(), piece.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        fail(path, "cannot write");
      }
      piece.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  if (::fsync(temporary.fd) != 0) fail(path, "cannot flush to disk");
  if (::rename(temporary.name.c_str(), path.c_str()) != 0) fail(path, "cannot rename onto it");
  temporary.kept = true;
  const int dir = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
}

}  // namespace fer
