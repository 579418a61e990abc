// What somebody may have meant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace fer {

/// Letters to insert, remove, exchange or swap with their neighbour to make one word of the other
/// (optimal string alignment).
inline std::size_t edits_between(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> edits(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) edits[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) edits[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t exchanged = edits[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0);
      edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1, exchanged});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
    }
  }
  return edits[a.size()][b.size()];
}

/// The one of `known` that is nearest to `word`; empty where even that is another word: more than a
/// third of its letters differ.
inline std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t fewest = 0;
  for (const std::string& one : known) {
    const std::size_t edits = edits_between(word, one);
    if (best.empty() || edits < fewest) {
      best = one;
      fewest = edits;
    }
  }
  return 3 * fewest <= std::max(word.size(), best.size()) + 1 ? best : std::string();
}

}  // namespace fer
