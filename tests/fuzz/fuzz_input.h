// What the fuzz targets share: bytes as a file, and files to begin with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fer::test {

/// A file in memory with these bytes, for as long as it lives.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const;

 private:
  int fd_ = -1;
};

/// Well-formed files of the kind that the target takes, and some that are nearly so.
std::vector<std::string> seeds();

}  // namespace fer::test
