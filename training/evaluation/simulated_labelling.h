// People who label faces, played by labels that are known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "learn/data/packed_dataset.h"
#include "stream/label_picker.h"
#include "stream/online_learner.h"

namespace fer {

/// Answers a learner's questions by the labels of a dataset that the stream was made of: what
/// labels are worth, and which faces to ask about (active learning, simulated).
class SimulatedLabelling {
 public:
  struct Plan {
    int labels = 0;   ///< To spend, at most.
    int at_once = 8;  ///< Questions between two judgements, as many as the page asks for.
    PickBy by;        ///< Which faces are asked about.
  };

  /// `rows` of `shown` are the faces that the stream showed; their crops tell them apart. `learner`
  /// and `shown` must outlive it. Throws std::runtime_error where no row has a label that the
  /// learner's model knows.
  SimulatedLabelling(OnlineLearner& learner, const PackedDataset& shown,
                     const std::vector<std::size_t>& rows, const Plan& plan);

  /// Asks, labels and judges until the labels are spent or nothing is left to ask about. Faces
  /// without a label that the model knows count as "cannot tell", and cost a label each.
  /// `on_round(spent)` is called after each judgement. Throws Interrupted.
  void run(const std::function<void(int spent)>& on_round);

  /// Labels that were spent on each class of the model.
  const std::vector<int>& per_class() const { return per_class_; }

 private:
  OnlineLearner& learner_;
  Plan plan_;
  std::unordered_map<std::string_view, int> truth_;  ///< Crop → class of the model; -1: none.
  std::vector<int> per_class_;
};

}  // namespace fer
