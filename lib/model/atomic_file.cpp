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

[[noreturn]] void fail_with_errno(const std::filesystem::path& path, const char* what) {
  throw std::runtime_error(path.string() + ": " + what + ": " +
                           std::generic_category().message(errno));
}

/// Pieces are collected until there is so much: a system call for each would take longer.
constexpr std::size_t kCollected = 1 << 16;

/// True for links that the kernel makes of a process's open files: their text is no path.
bool is_open_file(const std::filesystem::path& link) {
  std::error_code ignored;
  const auto folder = std::filesystem::canonical(
      link.has_parent_path() ? link.parent_path() : std::filesystem::path("."), ignored);
  return folder.native().starts_with("/proc/");
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
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

AtomicFile::AtomicFile(const std::filesystem::path& path)
    : path_(path), target_(replaced_file(path)) {
  if (is_stream(path)) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
    if (fd_ < 0) fail_with_errno(path, "cannot open");
    return;
  }
  struct stat found {};
  if (::stat(target_.c_str(), &found) == 0 && (S_ISBLK(found.st_mode) || S_ISSOCK(found.st_mode))) {
    throw std::runtime_error(path.string() +
                             ": expected a file to write, found a disk or a socket; name another");
  }
  // Not mkostemp(): it makes files that only the owner reads, and to ask for the process's umask is
  // to change it for all threads.
  std::random_device random;
  for (int attempt = 0; fd_ < 0; ++attempt) {
    std::string name(1, '.');
    name.append(target_.filename().string()).append(".").append(std::to_string(random()));
    name = folder_of(target_) / name;
    fd_ =
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_only > 0 ? 0600 : 0666);
    if (fd_ >= 0) {
      temporary_ = name;
    } else if (errno != EEXIST || attempt == 100) {
      fail_with_errno(path, "cannot create a temporary file beside it");
    }
  }
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::append(std::string_view piece) {
  if (collected_.size() + piece.size() < kCollected) {
    collected_.append(piece);
    return;
  }
  write(collected_);
  collected_.clear();
  write(piece);
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail_with_errno(path_, "cannot write");
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  write(collected_);
  collected_.clear();
  if (temporary_.empty()) return;
  if (::fsync(fd_) != 0) fail_with_errno(path_, "cannot flush to disk");
  if (::rename(temporary_.c_str(), target_.c_str()) != 0)
    fail_with_errno(path_, "cannot rename onto it");
  temporary_.clear();
  const int dir = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
}

void write_atomically(const std::filesystem::path& path,
                      const std::vector<std::string_view>& pieces) {
  AtomicFile file(path);
  for (const std::string_view piece : pieces) file.append(piece);
  file.commit();
}

}  // namespace fer
