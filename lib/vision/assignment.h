// Optimal assignment of rows to columns: the pairs with the largest total gain.
#pragma once

#include <vector>

namespace fer {

/// Assigns each row a column, or -1, and no column twice, so that the sum of `gain` over the pairs
/// is as large as possible. `gain`: rows x columns, row-major, without negative and NaN values.
/// Pairs without gain are never assigned.
std::vector<int> best_assignment(const std::vector<double>& gain, int rows, int columns);

}  // namespace fer
