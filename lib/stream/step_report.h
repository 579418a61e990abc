// The outcome of one learning step. Free of LibTorch.
#pragma once

#include <vector>

namespace fer {

/// What one gradient step did.
struct StepReport {
  double loss = 0, loss_x = 0, loss_u = 0, loss_n = 0;
  int rows = 0, labelled_rows = 0;  ///< Rows of the stream and of the replay.
  std::vector<int> accepted;        ///< Per class: rows whose pseudo-label was learnt.
  std::vector<int> proposed;        ///< Per class: rows for which it was the likeliest.
  int negatives = 0;                ///< Complementary labels (row, class), in all.
};

}  // namespace fer
