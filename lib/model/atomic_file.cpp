#include "model/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>

#include "model/owner_only_files.h"

namespace fer {
namespace {

thread_local int owner_only = 0;  ///< Live OwnerOnlyFiles of the thread.

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

void write_pieces(int fd, const std::filesystem::path& path,
                  const std::vector<std::string_view>& pieces) {
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const ssize_t written = ::write(fd, piece.data(), piece.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        fail(path, "cannot write");
      }
      piece.remove_prefix(static_cast<std::size_t>(written));
    }
  }
}

/// True for links that the kernel makes of a process's open files: their text is no path.
bool is_open_file(const std::filesystem::path& link) {
  std::error_code ignored;
  const auto folder = std::filesystem::canonical(
      link.has_parent_path() ? link.parent_path() : std::filesystem::path("."), ignored);
  return folder.native().starts_with("/proc/");
}

void write_stream(const std::filesystem::path& path, const std::vector<std::string_view>& pieces) {
  Temporary stream;  // without a name: it is closed, and nothing goes
  stream.fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
  if (stream.fd < 0) fail(path, "cannot open");
  write_pieces(stream.fd, path, pieces);
}

}  // namespace

OwnerOnlyFiles::OwnerOnlyFiles() {
  ++owner_only;
}

OwnerOnlyFiles::~OwnerOnlyFiles() {
  --owner_only;
}

std::filesystem::path replaced_file(const std::filesystem::path& path) {
  std::filesystem::path file = path;
  std::error_code error;
  // As many links as the kernel follows; beyond them it is a circle, which opening tells.
  for (int i = 0; i < 40 && std::filesystem::is_symlink(file, error) && !is_open_file(file); ++i) {
    const auto target = std::filesystem::read_symlink(file, error);
    if (error) break;
    file = file.parent_path() / target;
  }
  return file;
}

bool is_stream(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return false;
  return S_ISCHR(found.st_mode) || S_ISFIFO(found.st_mode) ||
         (S_ISREG(found.st_mode) && is_open_file(replaced_file(path)));
}

void write_atomically(const std::filesystem::path& link,
                      const std::vector<std::string_view>& pieces) {
  if (is_stream(link)) return write_stream(link, pieces);
  const std::filesystem::path path = replaced_file(link);
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && (S_ISBLK(found.st_mode) || S_ISSOCK(found.st_mode))) {
    throw std::runtime_error(link.string() +
                             ": expected a file to write, found a disk or a socket; name another");
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  Temporary temporary;
  // Not mkostemp(): it makes files that only the owner reads, and to ask for the process's umask is
  // to change it for all threads.
  std::random_device random;
  for (int attempt = 0; temporary.fd < 0; ++attempt) {
    std::string name(1, '.');
    name.append(path.filename().string()).append(".").append(std::to_string(random()));
    name = folder / name;
    temporary.fd =
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_only > 0 ? 0600 : 0666);
    if (temporary.fd >= 0) {
      temporary.name = name;
    } else if (errno != EEXIST || attempt == 100) {
      fail(link, "cannot create a temporary file beside it");
    }
  }
  write_pieces(temporary.fd, link, pieces);
  if (::fsync(temporary.fd) != 0) fail(link, "cannot flush to disk");
  if (::rename(temporary.name.c_str(), path.c_str()) != 0) fail(link, "cannot rename onto it");
  temporary.kept = true;
  const int dir = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
}

}  // namespace fer
