#include "stream/replay.h"

#include <torch/torch.h>

#include <algorithm>

namespace fer {

Replay::Replay(std::shared_ptr<const LabelledFaces> faces) : faces_(std::move(faces)) {
  const auto& labels = faces_->labels();
  of_class_.resize(static_cast<std::size_t>(*std::max_element(labels.begin(), labels.end())) + 1);
  for (std::size_t i = 0; i < labels.size(); ++i)
    of_class_[static_cast<std::size_t>(labels[i])].push_back(i);
  std::erase_if(of_class_, [](const auto& rows) { return rows.empty(); });
}

Replay::Rows Replay::draw(int n, Random random, Network& network) const {
  // Not always the same classes once more, where n is no multiple of their number.
  const std::size_t first = random.below(of_class_.size());
  std::vector<std::size_t> rows;
  std::vector<std::int64_t> labels;
  for (int i = 0; i < n; ++i) {
    const auto& members = of_class_[(first + static_cast<std::size_t>(i)) % of_class_.size()];
    rows.push_back(members[random.below(members.size())]);
    labels.push_back(faces_->labels()[rows.back()]);
  }
  return {faces_->activations(rows, network, &random), torch::tensor(labels, torch::kLong)};
}

}  // namespace fer
