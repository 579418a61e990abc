// Predictions of a network, counted against labels.
#pragma once

#include <torch/types.h>

#include "learn/evaluation/metrics.h"

namespace fer {

/// Adds a (label, likeliest class) pair for each row of `logits`, N x C; `labels`: N, int64, on the
/// CPU.
inline void count_predictions(const torch::Tensor& logits, const torch::Tensor& labels,
                              Confusion& confusion) {
  const torch::Tensor predicted = logits.argmax(1).contiguous(), wanted = labels.contiguous();
  const auto* prediction = predicted.data_ptr<std::int64_t>();
  const auto* label = wanted.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < predicted.size(0); ++i)
    confusion.add(static_cast<int>(label[i]), static_cast<int>(prediction[i]));
}

}  // namespace fer
