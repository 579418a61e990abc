// Optimal assignment: who goes with whom so that the total gain is largest.
#pragma once

#include <vector>

namespace fer {

/// For each row the column it is assigned, or -1; no column twice; the sum of `gain` (row-major,
/// rows x columns, no negative and no NaN values) over the assigned pairs is the largest possible.
/// A pair without gain is never assigned.
std::vector<int> best_assignment(const std::vector<double>& gain, int rows, int columns);

}  // namespace fer
