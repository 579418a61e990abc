#include "vision/assignment.h"

#include <cassert>
#include <limits>
#include <utility>

namespace fer {
namespace {

/// The Hungarian method by shortest augmenting paths with potentials (Jonker, Volgenant 1987), for
/// rows <= columns; `cost(row, column)` is minimised. Returns the column of each row.
/// O(rows^2 * columns).
template <typename Cost>
std::vector<int> min_cost(int rows, int columns, Cost cost) {
  // Row and column 0 are sentinels: column 0 holds the row that is being placed.
  std::vector<double> row_potential(rows + 1, 0.0), column_potential(columns + 1, 0.0);
  std::vector<int> row_of(columns + 1, 0), came_from(columns + 1, 0);
  std::vector<double> distance(columns + 1);
  std::vector<char> done(columns + 1);
  for (int row = 1; row <= rows; ++row) {
    row_of[0] = row;
    distance.assign(columns + 1, std::numeric_limits<double>::infinity());
    done.assign(columns + 1, 0);
    int column = 0;
    do {
      done[column] = 1;
      const int reached = row_of[column];
      int nearest = 0;
      double step = std::numeric_limits<double>::infinity();
      for (int j = 1; j <= columns; ++j) {
        if (done[j]) continue;
        const double reduced =
            cost(reached - 1, j - 1) - row_potential[reached] - column_potential[j];
        if (reduced < distance[j]) {
          distance[j] = reduced;
          came_from[j] = column;
        }
        if (distance[j] < step) {
          step = distance[j];
          nearest = j;
        }
      }
      for (int j = 0; j <= columns; ++j) {
        if (done[j]) {
          row_potential[row_of[j]] += step;
          column_potential[j] -= step;
        } else {
          distance[j] -= step;
        }
      }
      column = nearest;
    } while (row_of[column] != 0);
    while (column != 0) {
      row_of[column] = row_of[came_from[column]];
      column = came_from[column];
    }
  }
  std::vector<int> column_of(rows, -1);
  for (int j = 1; j <= columns; ++j) {
    if (row_of[j] != 0) column_of[row_of[j] - 1] = j - 1;
  }
  return column_of;
}

}  // namespace

std::vector<int> best_assignment(const std::vector<double>& gain, int rows, int columns) {
  assert(gain.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
  std::vector<int> column_of(rows, -1);
  if (rows == 0 || columns == 0) return column_of;
  const auto at = [&](int row, int column) {
    return gain[static_cast<std::size_t>(row) * columns + column];
  };
  if (rows <= columns) {
    column_of = min_cost(rows, columns, [&](int r, int c) { return -at(r, c); });
  } else {
    const auto row_of = min_cost(columns, rows, [&](int c, int r) { return -at(r, c); });
    for (int c = 0; c < columns; ++c) column_of[row_of[c]] = c;
  }
  for (int row = 0; row < rows; ++row) {
    if (column_of[row] >= 0 && !(at(row, column_of[row]) > 0)) column_of[row] = -1;
  }
  return column_of;
}

}  // namespace fer
