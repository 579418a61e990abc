// Lists of texts as one text.
#pragma once

#include <string>
#include <vector>

namespace fer {

/// The texts as one, with `separator` between them.
inline std::string join(const std::vector<std::string>& texts, const char* separator = ", ") {
  std::string all;
  for (const std::string& text : texts) {
    if (&text != &texts.front()) all += separator;
    all += text;
  }
  return all;
}

}  // namespace fer
