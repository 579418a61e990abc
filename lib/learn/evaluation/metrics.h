// Figures of predictions against labels.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "export.h"

namespace fer {

/// Counts of (label, prediction) pairs and the figures that follow from them.
class FER_API Confusion {
 public:
  explicit Confusion(std::vector<std::string> labels);

  /// `count` samples. Both in [0, labels); others throw std::out_of_range.
  void add(int label, int prediction, std::int64_t count = 1);

  std::int64_t total() const;
  /// Share of right predictions; 0 where nothing was counted.
  double accuracy() const;
  /// Share of a class's samples that were predicted as it; NaN for a class without samples.
  double recall(int label) const;
  /// Mean of the recalls of the classes that have samples.
  double macro_recall() const;

  const std::vector<std::string>& labels() const { return labels_; }
  std::int64_t count(int label, int prediction) const;

  /// n, accuracy, macro_recall, recall (class → number, null without samples), confusion, labels.
  nlohmann::json to_json() const;
  /// A table for a terminal: rows are labels, columns predictions. `beside`: a text to the right of
  /// each label's recall; empty: none.
  std::string to_text(const std::vector<std::string>& beside = {}) const;

 private:
  std::vector<std::string> labels_;
  std::vector<std::int64_t> counts_;
};

}  // namespace fer
