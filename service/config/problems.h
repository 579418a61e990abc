// What is wrong with a file that people write, line by line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace fer {

/// Something wrong, and where. Line 0: with the file as a whole.
struct Problem {
  std::size_t line = 0;
  std::string text;
};

/// "cameras.toml:12: what is wrong", a line each, by line number.
inline std::string problems_text(const std::string& file, std::vector<Problem> problems) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  std::string text;
  for (const Problem& problem : problems) {
    text += (text.empty() ? "" : "\n") + file;
    if (problem.line > 0) text.append(":").append(std::to_string(problem.line));
    text += ": " + problem.text;
  }
  return text;
}

/// A file with problems; what() is problems_text() of them.
class ConfigError : public std::runtime_error {
 public:
  ConfigError(const std::string& file, const std::vector<Problem>& problems)
      : std::runtime_error(problems_text(file, problems)) {}
};

}  // namespace fer
