// Steps of pseudo_label_step() that are random but the same for a seed, with the memory that they
// point to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "kernels/pseudo_label_step.h"

namespace fer::test {

struct NamedThresholds {
  std::string policy;  ///< For people.
  kernels::ThresholdRule rule;
};
struct NamedNegatives {
  std::string policy;  ///< For people.
  kernels::NegativeRule rule;
};
inline void PrintTo(const NamedThresholds& named, std::ostream* out) {
  *out << named.policy;
}
inline void PrintTo(const NamedNegatives& named, std::ostream* out) {
  *out << named.policy;
}

/// One of each policy, with settings at which random rows fall on both sides of the line.
inline std::vector<NamedThresholds> all_thresholds() {
  using namespace kernels;
  using Rule = ThresholdRule;
  return {{"fixed:tau=0.7", Rule::of<Fixed>({.tau = 0.7})},
          {"flex:tau=0.5,window=160", Rule::of<Flex>({.tau = 0.5, .window = 160})},
          {"free:momentum=0.9", Rule::of<Free>({.momentum = 0.9})},
          {"soft:momentum=0.1", Rule::of<Soft>({.momentum = 0.1})},
          {"ada-cm:t-min=0.3", Rule::of<AdaCm>({.t_min = 0.3})},
          {"dta:t-min=0.3", Rule::of<Dta>({.t_min = 0.3})}};
}

inline std::vector<NamedNegatives> all_negatives() {
  using namespace kernels;
  using Rule = NegativeRule;
  return {{"none", Rule::of<NoNegatives>()},    {"ups", Rule::of<Ups>()},
          {"fullmatch", Rule::of<FullMatch>()}, {"lowest:n=2", Rule::of<Lowest>({.n = 2})},
          {"argmin", Rule::of<Argmin>()},       {"snl", Rule::of<Snl>()}};
}

/// Logits of a network that is surer of some rows than of others.
inline std::vector<float> random_logits(int rows, int classes, std::mt19937& random) {
  std::vector<float> logits(static_cast<std::size_t>(rows) * static_cast<std::size_t>(classes));
  const auto uniform = [&] { return static_cast<float>(random()) / 4294967296.f; };
  for (int i = 0; i < rows; ++i) {
    const float sure = 1 + 12 * uniform();
    for (int k = 0; k < classes; ++k)
      logits[static_cast<std::size_t>(i * classes + k)] = sure * (uniform() - 0.5f);
  }
  return logits;
}

/// A step and what it reads and writes, in the processor's memory.
struct StepData {
  std::vector<float> teacher, labelled, student;
  std::vector<std::int64_t> labels;
  kernels::ThresholdState state;
  std::vector<std::int64_t> pseudo_labels;
  std::vector<float> confidence, weights, gradient, losses;
  std::vector<std::uint8_t> chosen;
  kernels::PseudoLabelStep step;

  StepData(int rows, int labelled_rows, int classes, unsigned seed) {
    std::mt19937 random(seed);
    teacher = random_logits(rows, classes, random);
    labelled = random_logits(labelled_rows, classes, random);
    student = random_logits(rows, classes, random);
    // The two views agree for the most part.
    for (std::size_t i = 0; i < student.size(); ++i)
      student[i] = 0.8f * teacher[i] + 0.05f * student[i];
    for (int i = 0; i < labelled_rows; ++i) {
      // Rightly predicted in about half of the rows.
      const auto row = labelled.begin() + i * classes;
      const auto guess = std::max_element(row, row + classes) - row;
      labels.push_back(random() % 2
                           ? guess
                           : static_cast<std::int64_t>(random() % static_cast<unsigned>(classes)));
    }
    const auto n = static_cast<std::size_t>(rows), c = static_cast<std::size_t>(classes);
    pseudo_labels.resize(n);
    confidence.resize(n);
    weights.resize(n);
    gradient.resize(n * c);
    chosen.resize(n * c);
    losses.resize(2);
    step.rows = rows;
    step.labelled_rows = labelled_rows;
    step.classes = classes;
  }

  /// The step with its pointers, which move when this does.
  const kernels::PseudoLabelStep& pointed() {
    step.teacher = teacher.data();
    step.labelled = labelled.data();
    step.student = student.data();
    step.labels = labels.data();
    step.state = &state;
    step.pseudo_labels = pseudo_labels.data();
    step.confidence = confidence.data();
    step.weights = weights.data();
    step.chosen = chosen.data();
    step.gradient = gradient.data();
    step.losses = losses.data();
    return step;
  }
};

}  // namespace fer::test
