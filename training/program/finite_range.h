// Bounds of options that are numbers. CLI::Range lets NaN through, and CLI11 takes what is below or
// beyond an unsigned number as the largest one.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <string>

namespace fer {

/// A number from `least` to `most`, and not NaN.
inline CLI::Validator finite_range(double min, double max) {
  const std::string from = CLI::detail::to_string(min), to = CLI::detail::to_string(max);
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        double value = 0;
        // Asked this way round, what is not a number is outside, too.
        if (CLI::detail::lexical_cast(text, value) && value >= min && value <= max) return {};
        return "Value " + text + " not in range " + from + " to " + to;
      },
      "FLOAT in [" + from + " - " + to + "]", "finite range");
}

/// A seed: digits alone, and no more than the largest one has.
inline CLI::Validator seed_range() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
        std::uint64_t value = 0;
        bool fits = !text.empty();
        for (const char c : text) {
          const auto digit = static_cast<std::uint64_t>(c - '0');
          fits = fits && c >= '0' && c <= '9' && value <= (kMax - digit) / 10;
          if (fits) value = 10 * value + digit;
        }
        if (fits) return {};
        return "Value " + text + " not in range 0 to " + std::to_string(kMax);
      },
      "UINT", "seed");
}

}  // namespace fer
