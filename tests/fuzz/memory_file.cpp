#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "fuzz/fuzz_input.h"

namespace fer::test {

MemoryFile::MemoryFile(const std::uint8_t* data, std::size_t size)
    : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
  if (fd_ < 0) std::abort();
  while (size > 0) {
    const ssize_t written = ::write(fd_, data, size);
    if (written <= 0) std::abort();
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

MemoryFile::~MemoryFile() {
  ::close(fd_);
}

std::filesystem::path MemoryFile::path() const {
  return "/proc/self/fd/" + std::to_string(fd_);
}

}  // namespace fer::test
