// Which rows of every batch a process makes.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace fer {

/// The rank-th of `size` equal parts of a batch, whose rows are a multiple of `size`. What the
/// parts hold, one after the other, is what one process has alone.
struct BatchPart {
  int rank = 0, size = 1;

  int count(int rows) const { return rows / size; }
  int first(int rows) const { return rank * count(rows); }
  /// The part's rows of what all processes have.
  torch::Tensor of(const torch::Tensor& all) const {
    const std::int64_t rows = all.size(0) / size;
    return all.narrow(0, rank * rows, rows);
  }
};

}  // namespace fer
