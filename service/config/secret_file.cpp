#include "config/secret_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace fer {
namespace {

/// More is no token.
constexpr off_t kMaxBytes = 4096;

std::string first_line_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  return line;
}

}  // namespace

std::string why_no_secret(const std::filesystem::path& file) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0)
    return file.string() + " cannot be read: " + std::strerror(errno);
  if (!S_ISREG(found.st_mode)) return file.string() + " is no file";
  // A group may read: systemd gives a service its credentials that way.
  if ((found.st_mode & (S_IRWXO | S_IWGRP)) != 0)
    return file.string() + " can be read or written by others; run chmod 600 on it";
  if (found.st_size > kMaxBytes) return file.string() + " is too large for a secret";
  if (first_line_of(file).empty()) return file.string() + " holds nothing in its first line";
  return {};
}

std::string read_secret(const std::filesystem::path& file) {
  const std::string wrong = why_no_secret(file);
  if (!wrong.empty()) throw std::runtime_error(wrong);
  return first_line_of(file);
}

std::filesystem::path resolved_path(const std::string& path, const std::filesystem::path& folder) {
  if (path.empty()) return {};
  std::filesystem::path whole = path;
  if (path.front() == '$') {
    const std::size_t slash = path.find('/');
    const char* value = std::getenv(path.substr(1, slash - 1).c_str());
    if (value)
      whole =
          std::filesystem::path(value) / (slash == std::string::npos ? "" : path.substr(slash + 1));
  }
  return whole.is_absolute() ? whole : folder / whole;
}

}  // namespace fer
