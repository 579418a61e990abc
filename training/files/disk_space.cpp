#include "files/disk_space.h"

#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace fer {

namespace fs = std::filesystem;

std::string size_text(double bytes) {
  char text[32];
  if (bytes >= 1e9)
    std::snprintf(text, sizeof text, "%.1f GB", bytes / 1e9);
  else if (bytes >= 1e6)
    std::snprintf(text, sizeof text, "%.0f MB", bytes / 1e6);
  else if (bytes >= 1e4)
    std::snprintf(text, sizeof text, "%.0f kB", bytes / 1e3);
  else
    std::snprintf(text, sizeof text, "%.0f bytes", bytes);
  return text;
}

void require_space(const fs::path& folder, double bytes, const std::string& remedy) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  // A file system that cannot say how much is free is asked by writing.
  if (error || static_cast<double>(space.available) >= bytes) return;
  throw std::runtime_error(folder.string() + ": the decoded faces need " + size_text(bytes) +
                           ", but only " + size_text(static_cast<double>(space.available)) +
                           " are free; " + remedy);
}

}  // namespace fer
