// Errors of libraries, for people.
#pragma once

#include <string>

namespace fer {

/// The first line of an error: LibTorch adds where in its own code it happened, line by line.
inline std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace fer
