// The colour of each expression, on video and in reports: Okabe and Ito's palette, which people
// with any kind of colour vision can tell apart. No OpenCV in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace fer {

/// 0xRRGGBB, by FER+'s names; another class gets that of its place among the model's classes.
constexpr std::uint32_t expression_rgb(std::string_view label, int label_id) {
  constexpr std::array<std::pair<std::string_view, std::uint32_t>, 8> kPalette{{
      {"neutral", 0xd0d4d8},
      {"happiness", 0xf0e442},
      {"surprise", 0xe69f00},
      {"sadness", 0x56b4e9},
      {"anger", 0xd55e00},
      {"disgust", 0x009e73},
      {"fear", 0xcc79a7},
      {"contempt", 0x0072b2},
  }};
  for (const auto& [name, colour] : kPalette)
    if (label == name) return colour;
  return kPalette[static_cast<std::size_t>(label_id < 0 ? 0 : label_id) % kPalette.size()].second;
}

}  // namespace fer
