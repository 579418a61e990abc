// Lists for people.
#pragma once

#include <string>
#include <vector>

namespace fer {

/// The texts in one, with the separator between each two.
inline std::string joined(const std::vector<std::string>& texts, const char* separator = ", ") {
  std::string all;
  for (const std::string& text : texts) {
    if (&text != &texts.front()) all += separator;
    all += text;
  }
  return all;
}

}  // namespace fer
