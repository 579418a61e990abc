// A forward pass over some rows of a batch, while other processes see the rest of it.
#pragma once

#include <ATen/core/ivalue.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>

namespace fer {

/// Which rows of a whole batch a network is shown, and how it asks for what follows from all of
/// them. With it, what a network makes of its rows is what it would have made of them within the
/// whole batch.
struct BatchShare : torch::CustomClassHolder {
  std::int64_t size = 0;  ///< Rows of the whole batch.
  torch::Tensor rows;     ///< int64: which of them are here, in the order in which they are shown.
  /// Replaces a contiguous tensor by its sum over all processes, each of which calls it with a
  /// tensor of the same shape, in the same order of calls.
  std::function<void(torch::Tensor&)> sum;

  /// Of what was drawn for every row of the whole batch, what falls to the rows here.
  torch::Tensor own(const torch::Tensor& drawn) const { return drawn.index_select(0, rows); }
};

using BatchSharePtr = c10::intrusive_ptr<BatchShare>;

}  // namespace fer
