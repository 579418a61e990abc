#include "model/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <random>
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
  // Not mkostemp(): it makes files that only the owner reads, and to ask for the process's umask is
  // to change it for all threads.
  std::random_device random;
  for (int attempt = 0; temporary.fd < 0; ++attempt) {
    std::string name(1, '.');
    name.append(path.filename().string()).append(".").append(std::to_string(random()));
    name = folder / name;
    temporary.fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (temporary.fd >= 0) {
      temporary.name = name;
    } else if (errno != EEXIST || attempt == 100) {
      fail(path, "cannot create a temporary file beside it");
    }
  }
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
