// What the bytes of an image file say before a decoder sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fer {

/// True for a JPEG without its end-of-image marker and a PNG without its last chunk; decoders take
/// both and fill up what is missing. What stands behind the end does not matter. False for all
/// other kinds of files.
bool is_truncated_image(std::string_view bytes);

struct ImageSize {
  std::uint64_t width = 0, height = 0;
  std::uint64_t pixels() const { return width * height; }
};

/// What a PNG, JPEG, BMP, WebP, TIFF or PNM file says of its size; nothing for other kinds, and
/// where the header is broken. A megabyte may stand for gigabytes of pixels.
std::optional<ImageSize> image_size(std::string_view bytes);

}  // namespace fer
