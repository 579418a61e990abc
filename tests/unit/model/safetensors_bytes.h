// Safetensors files by hand, well-formed or not.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace fer::test {

/// The length of the header, the header, the data.
inline std::string safetensors_bytes(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

}  // namespace fer::test
