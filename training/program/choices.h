// Options that are one word of a few.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "util/join.h"

namespace fer {

/// Takes one of the map's words, in any case of letters, for the value that stands behind it: an
/// enumerator or a text. CLI11's own transformer shows people the numbers of the enumerators.
template <typename Value>
CLI::Validator choices(const std::map<std::string, Value>& values) {
  std::map<std::string, std::string> known;
  std::vector<std::string> words;
  for (const auto& [word, value] : values) {
    words.push_back(word);
    if constexpr (std::is_enum_v<Value>) {
      known[word] = std::to_string(static_cast<std::underlying_type_t<Value>>(value));
    } else {
      known[word] = value;
    }
  }
  return CLI::Validator(
      [known, words](std::string& text) -> std::string {
        const auto found = known.find(CLI::detail::to_lower(text));
        if (found == known.end()) return "expected one of " + join(words) + ", found " + text;
        text = found->second;
        return {};
      },
      "{" + join(words, ",") + "}", "choices");
}

}  // namespace fer
