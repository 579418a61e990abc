// Whole files, as people and other programs leave them: nothing is read without a bound.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace fer {

/// What `mode` of struct stat stands for, for people: "a folder", "a named pipe".
inline const char* kind_of_file(mode_t mode) {
  if (S_ISREG(mode)) return "a regular file";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

/// Throws std::runtime_error, with the path and what was found, for anything but a regular file
/// that can be opened. A pipe or a device would hold the reader, or never end.
inline void require_regular_file(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    throw std::runtime_error(path.string() +
                             ": cannot be opened: " + std::generic_category().message(errno));
  }
  if (S_ISREG(info.st_mode)) return;
  throw std::runtime_error(path.string() + ": expected a regular file, found " +
                           kind_of_file(info.st_mode));
}

/// The bytes of a regular file of at most `most` bytes. Throws std::runtime_error with the path,
/// what was expected and what was found.
inline std::string read_file(const std::filesystem::path& path, std::uintmax_t most) {
  const auto fail = [&](const std::string& what) {
    throw std::runtime_error(path.string() + ": " + what);
  };
  // Not waiting for the other end, should it be a pipe.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail("cannot be opened: " + std::generic_category().message(errno));
  struct Closed {
    int fd;
    ~Closed() { ::close(fd); }
  } const closed{fd};
  struct stat info {};
  if (::fstat(fd, &info) != 0) fail("cannot be read: " + std::generic_category().message(errno));
  if (!S_ISREG(info.st_mode))
    fail(std::string("expected a regular file, found ") + kind_of_file(info.st_mode));
  const auto size = static_cast<std::uintmax_t>(info.st_size);
  if (size > most) {
    fail("expected at most " + std::to_string(most) + " bytes, found " + std::to_string(size));
  }
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot be read: " + std::generic_category().message(errno));
    if (got == 0) fail("was cut short while it was read");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace fer
