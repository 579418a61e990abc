// One process's rows of a batch that several processes share.
#pragma once

#include <ATen/core/ivalue.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>

namespace fer {

/// The rows of a whole batch that this process has, and the way to sum over all rows. A network
/// that uses it computes for its rows what it would have computed for them within the whole batch.
struct BatchShard : torch::CustomClassHolder {
  std::int64_t size = 0;  ///< Rows of the whole batch.
  torch::Tensor rows;     ///< int64: the indices of this process's rows, in the order of forward().
  /// Replaces a contiguous tensor by its sum over all processes, each of which calls it with a
  /// tensor of the same shape, in the same order of calls.
  std::function<void(torch::Tensor&)> sum;

  /// The rows of `drawn` (one a row of the whole batch) that belong to this process.
  torch::Tensor own(const torch::Tensor& drawn) const { return drawn.index_select(0, rows); }
};

using BatchShardPtr = c10::intrusive_ptr<BatchShard>;

}  // namespace fer
