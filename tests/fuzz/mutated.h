// Small changes to a file, as disks, networks and people make them.
#pragma once

#include <cstddef>
#include <iterator>
#include <random>
#include <string>

namespace fer::test {

/// One to four small changes: bits, bytes, numbers, pieces moved, doubled or cut.
inline std::string mutated(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  static const char* const kTokens[] = {
      "0",   "9",    "-",   "[",   "]", "{", "}", "\"", ",", ":", "18446744073709551615",
      "1e9", "null", "F32", "\xff"};
  for (std::size_t i = 1 + below(4); i > 0; --i) {
    const std::size_t at = below(bytes.size());
    switch (below(5)) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes.insert(at, kTokens[below(std::size(kTokens))]);
        break;
      case 3:
        bytes.erase(at, below(16));
        break;
      case 4:
        bytes.insert(at, bytes.substr(below(bytes.size()), below(32)));
        break;
    }
  }
  return bytes;
}

}  // namespace fer::test
