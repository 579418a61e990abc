#include "files/image_header.h"

#include <cctype>
#include <cstddef>
#include <cstdint>

namespace fer {
namespace {

constexpr std::string_view kJpeg("\xff\xd8\xff", 3);
constexpr std::string_view kPng("\x89PNG\r\n\x1a\n", 8);

/// Big-endian; 0 behind the end.
std::size_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  if (at > bytes.size() || bytes.size() - at < width) return 0;
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

/// Little-endian; 0 behind the end.
std::size_t little_at(std::string_view bytes, std::size_t at, std::size_t width) {
  if (at > bytes.size() || bytes.size() - at < width) return 0;
  std::size_t number = 0;
  for (std::size_t i = width; i-- > 0;)
    number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return number;
}

/// From the first frame header on.
ImageSize jpeg_size(std::string_view bytes) {
  std::size_t at = 2;
  while (at + 9 < bytes.size()) {
    if (bytes[at] != '\xff') return {};
    const auto marker = static_cast<std::uint8_t>(bytes[at + 1]);
    if (marker == 0xff) {
      ++at;
      continue;
    }
    // C4, C8 and CC are tables.
    const bool frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) return {number_at(bytes, at + 7, 2), number_at(bytes, at + 5, 2)};
    at += 2 + number_at(bytes, at + 2, 2);
  }
  return {};
}

ImageSize bmp_size(std::string_view bytes) {
  if (little_at(bytes, 14, 4) == 12) return {little_at(bytes, 18, 2), little_at(bytes, 20, 2)};
  // A negative height says that the rows go from the top down.
  const auto height = static_cast<std::int32_t>(little_at(bytes, 22, 4));
  const auto rows = static_cast<std::uint64_t>(height < 0 ? -std::int64_t{height} : height);
  return {little_at(bytes, 18, 4), rows};
}

ImageSize webp_size(std::string_view bytes) {
  const std::string_view kind = bytes.substr(12, 4);
  if (kind == "VP8X") return {little_at(bytes, 24, 3) + 1, little_at(bytes, 27, 3) + 1};
  if (kind == "VP8L") {
    const std::size_t bits = little_at(bytes, 21, 4);
    return {(bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1};
  }
  if (kind == "VP8 ") return {little_at(bytes, 26, 2) & 0x3fff, little_at(bytes, 28, 2) & 0x3fff};
  return {};
}

/// Of the first picture, which is the one that decoders take.
ImageSize tiff_size(std::string_view bytes) {
  const bool little = bytes.starts_with("II");
  const auto number = [&](std::size_t at, std::size_t width) {
    return little ? little_at(bytes, at, width) : number_at(bytes, at, width);
  };
  if (number(2, 2) != 42) return {};  // BigTIFF has 43.
  const std::size_t directory = number(4, 4);
  ImageSize size;
  for (std::size_t i = 0; i < number(directory, 2); ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    const std::size_t value = number(at + 8, number(at + 2, 2) == 3 ? 2 : 4);
    if (number(at, 2) == 256) size.width = value;
    if (number(at, 2) == 257) size.height = value;
  }
  return size;
}

/// "P5 640 480 255", with comments from # to the line's end.
ImageSize pnm_size(std::string_view bytes) {
  std::size_t at = 2;
  const auto next = [&] {
    while (at < bytes.size() &&
           (std::isspace(static_cast<unsigned char>(bytes[at])) != 0 || bytes[at] == '#')) {
      if (bytes[at] == '#')
        while (at < bytes.size() && bytes[at] != '\n') ++at;
      else
        ++at;
    }
    std::uint64_t number = 0;
    for (; at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9' && number < 1u << 31; ++at)
      number = 10 * number + static_cast<std::uint64_t>(bytes[at] - '0');
    return number;
  };
  const std::uint64_t width = next();
  return {width, next()};
}

ImageSize size_in(std::string_view bytes) {
  if (bytes.starts_with(kJpeg)) return jpeg_size(bytes);
  if (bytes.starts_with(kPng)) return {number_at(bytes, 16, 4), number_at(bytes, 20, 4)};
  if (bytes.starts_with("BM")) return bmp_size(bytes);
  if (bytes.starts_with("RIFF") && bytes.size() >= 30 && bytes.substr(8, 4) == "WEBP")
    return webp_size(bytes);
  if (bytes.starts_with("II") || bytes.starts_with("MM")) return tiff_size(bytes);
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6')
    return pnm_size(bytes);
  return {};
}

}  // namespace

std::optional<ImageSize> image_size(std::string_view bytes) {
  const ImageSize size = size_in(bytes);
  if (size.width == 0 || size.height == 0) return std::nullopt;
  return size;
}

bool is_truncated_image(std::string_view bytes) {
  if (bytes.starts_with(kJpeg)) return jpeg_ends_early(bytes);
  return bytes.starts_with(kPng) && png_ends_early(bytes);
}

}  // namespace fer
