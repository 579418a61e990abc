#include "vision/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace fer {
namespace {

double total(const std::vector<double>& gain, int columns, const std::vector<int>& column_of) {
  double sum = 0;
  for (std::size_t row = 0; row < column_of.size(); ++row) {
    if (column_of[row] >= 0) sum += gain[row * columns + column_of[row]];
  }
  return sum;
}

TEST(BestAssignment, NothingToAssign) {
  EXPECT_TRUE(best_assignment({}, 0, 3).empty());
  EXPECT_EQ(best_assignment({}, 2, 0), (std::vector<int>{-1, -1}));
}

TEST(BestAssignment, PrefersTheSumToTheGreedyPair) {
  // Taking the 0.9 first leaves 0.1; the best sum is 0.8 + 0.7.
  EXPECT_EQ(best_assignment({0.9, 0.8, 0.7, 0.1}, 2, 2), (std::vector<int>{1, 0}));
}

TEST(BestAssignment, LeavesPairsWithoutGainAlone) {
  EXPECT_EQ(best_assignment({0, 0, 0, 0.5}, 2, 2), (std::vector<int>{-1, 1}));
}

TEST(BestAssignment, MoreRowsThanColumns) {
  EXPECT_EQ(best_assignment({0.2, 0.9, 0.3}, 3, 1), (std::vector<int>{-1, 0, -1}));
}

TEST(BestAssignment, IsAsGoodAsTryingEveryOrder) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int trial = 0; trial < 200; ++trial) {
    const int rows = 1 + trial % 5, columns = 1 + trial / 5 % 6;
    std::vector<double> gain(rows * columns);
    for (double& g : gain) g = uniform(random) < 0.4 ? 0 : uniform(random);
    // Every order of the columns, padded with as many "none" as there are rows.
    std::vector<int> order(columns + rows, -1);
    std::iota(order.begin(), order.begin() + columns, 0);
    std::sort(order.begin(), order.end());
    double best = 0;
    do {
      best = std::max(best,
                      total(gain, columns, std::vector<int>(order.begin(), order.begin() + rows)));
    } while (std::next_permutation(order.begin(), order.end()));
    const std::vector<int> found = best_assignment(gain, rows, columns);
    EXPECT_NEAR(total(gain, columns, found), best, 1e-9);
    std::vector<int> used;
    for (const int column : found) {
      if (column >= 0) used.push_back(column);
    }
    std::sort(used.begin(), used.end());
    EXPECT_EQ(std::adjacent_find(used.begin(), used.end()), used.end());
  }
}

}  // namespace
}  // namespace fer
