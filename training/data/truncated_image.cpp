#include "data/truncated_image.h"

#include <cstddef>
#include <cstdint>

namespace fer {
namespace {

constexpr std::string_view kJpeg("\xff\xd8\xff", 3);
constexpr std::string_view kPng("\x89PNG\r\n\x1a\n", 8);

/// Big-endian.
std::size_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  std::size_t number = 0;
  for (std::size_t i = 0; i < width; ++i)
    number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return number;
}

/// From marker to marker: a thumbnail in a segment has an end of its own.
bool jpeg_ends_early(std::string_view bytes) {
  std::size_t at = 2;
  while (true) {
    // Between markers: the image's data, or what decoders skip. In data, FF 00 is a byte FF.
    while (at + 1 < bytes.size() &&
           !(bytes[at] == '\xff' && bytes[at + 1] != '\0' && bytes[at + 1] != '\xff'))
      ++at;
    if (at + 1 >= bytes.size()) return true;
    const auto marker = static_cast<std::uint8_t>(bytes[at + 1]);
    at += 2;
    if (marker == 0xd9) return false;
    // Restarts and TEM have no length.
    if ((marker >= 0xd0 && marker <= 0xd8) || marker == 0x01) continue;
    if (at + 2 > bytes.size()) return true;
    at += number_at(bytes, at, 2);
  }
}

bool png_ends_early(std::string_view bytes) {
  std::size_t at = kPng.size();
  // Length, name, data, checksum.
  while (at + 12 <= bytes.size()) {
    if (bytes.substr(at + 4, 4) == "IEND") return false;
    at += 12 + number_at(bytes, at, 4);
  }
  return true;
}

}  // namespace

bool is_truncated_image(std::string_view bytes) {
  if (bytes.starts_with(kJpeg)) return jpeg_ends_early(bytes);
  return bytes.starts_with(kPng) && png_ends_early(bytes);
}

}  // namespace fer
