#include "stream/class_balance_cap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fer {
namespace {

constexpr double kFade = 0.99;

}  // namespace

ClassBalanceCap::ClassBalanceCap(int classes, double most, double allowance)
    : most_(most), allowance_(allowance), counts_(static_cast<std::size_t>(classes), 0.0) {}

std::vector<bool> ClassBalanceCap::admit(const std::vector<int>& labels,
                                         const std::vector<float>& confidences) {
  for (double& count : counts_) count *= kFade;
  const std::size_t classes = counts_.size();
  std::vector<int> admitted(classes, 0);
  for (int label : labels)
    if (label >= 0) ++admitted[static_cast<std::size_t>(label)];
  // What one class must give up lowers the whole, and with it the others' room: until it settles.
  for (bool settled = false; !settled;) {
    settled = true;
    const double total = std::accumulate(counts_.begin(), counts_.end(), 0.0) +
                         std::accumulate(admitted.begin(), admitted.end(), 0);
    for (std::size_t k = 0; k < classes; ++k) {
      const double room = std::max(most_ * total, allowance_) - counts_[k];
      const int most = std::max(0, static_cast<int>(std::floor(room + 1e-9)));
      if (admitted[k] > most) {
        admitted[k] = most;
        settled = false;
      }
    }
  }
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return confidences[a] > confidences[b]; });
  std::vector<bool> result(labels.size(), false);
  for (std::size_t i : order) {
    if (labels[i] < 0) continue;
    int& left = admitted[static_cast<std::size_t>(labels[i])];
    if (left == 0) continue;
    --left;
    ++counts_[static_cast<std::size_t>(labels[i])];
    result[i] = true;
  }
  return result;
}

}  // namespace fer
