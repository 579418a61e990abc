#include "kernels/pseudo_label_step.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "kernels/argument_checker.h"
#include "kernels/pseudo_label_rules.h"

namespace fer::kernels {
namespace {

/// The teacher's probabilities of a row.
template <int Classes>
void probabilities(const PseudoLabelStep& s, const float* row, float* q) {
  if (s.teacher_is_probabilities) {
    std::copy_n(row, count_of<Classes>(s.classes), q);
  } else {
    softmax_row<Classes>(row, s.classes, q);
  }
}

template <int Classes>
void add_labelled(const PseudoLabelStep& s, StepSums& sums) {
  float q[kRoom<Classes>];
  for (int i = 0; i < s.labelled_rows; ++i) {
    probabilities<Classes>(s, s.labelled + static_cast<std::ptrdiff_t>(i) * s.classes, q);
    const int label = likeliest<Classes>(q, s.classes);
    if (label != s.labels[i]) continue;
    ++sums.counts[label];
    sums.by_class[label] += to_units(q[label]);
  }
}

/// What a policy's observe() adds to.
struct AddToSums {
  StepSums& sums;

  void add_class(int k, float value) { sums.by_class[k] += to_units(value); }
  void count(int k) { ++sums.counts[k]; }
  void add_confidence(float value) { sums.confidence += to_units(value); }
  void add_square(float value) { sums.squares += to_units(value); }
};

/// The first pass: labels and confidences, and what the rules sum up. With a student it leaves the
/// probabilities in `gradient`, where the second pass finds them.
template <int Classes>
void look(const PseudoLabelStep& s, bool with_student, StepSums& sums) {
  if (reads_labelled(s.thresholds)) add_labelled<Classes>(s, sums);
  AddToSums add{sums};
  const bool agreement = needs_agreement(s.negatives);
  float own[kRoom<Classes>];
  for (int i = 0; i < s.rows; ++i) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) * s.classes;
    float* q = with_student ? s.gradient + at : own;
    probabilities<Classes>(s, s.teacher + at, q);
    const int label = likeliest<Classes>(q, s.classes);
    s.pseudo_labels[i] = label;
    s.confidence[i] = q[label];
    observe(s.thresholds, {q, count_of<Classes>(s.classes), label, q[label]}, add);
    if (with_student && agreement) {
      sums.likelier =
          std::max(sums.likelier, likelier_classes<Classes>(s.student + at, s.classes, label));
    }
  }
}

/// The second pass: weights, negatives, losses and the gradient.
template <int Classes>
void apply(const PseudoLabelStep& s, int keep) {
  const int n = count_of<Classes>(s.classes);
  const auto scale_u = static_cast<float>(s.lambda_u / s.rows);
  const auto scale_n = static_cast<float>(s.lambda_n / s.rows);
  double u = 0, negative = 0;
  for (int i = 0; i < s.rows; ++i) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) * s.classes;
    const auto label = static_cast<int>(s.pseudo_labels[i]);
    const float weight = weight_of(s.thresholds, *s.state, s.confidence[i], label);
    s.weights[i] = weight;
    const StudentRow<Classes> student(s.student + at, s.classes);
    const std::uint64_t chosen =
        negatives_of(s.negatives, {s.gradient + at, student.p, n, keep}, label, weight >= 0.5f);
    if (s.chosen) {
      for (int k = 0; k < n; ++k) s.chosen[at + k] = static_cast<std::uint8_t>(chosen >> k & 1);
    }
    const RowLoss loss = row_loss<Classes>(student, s.student + at, s.classes, label, weight,
                                           chosen, scale_u, scale_n, s.gradient + at);
    u += loss.u;
    negative += loss.n;
  }
  const double rows = std::max(1, s.rows);
  s.losses[0] = static_cast<float>(u / rows);
  s.losses[1] = static_cast<float>(negative / rows);
}

template <int Classes>
void run(const PseudoLabelStep& s) {
  StepSums sums;
  look<Classes>(s, /*with_student=*/true, sums);
  move_state(s.thresholds, sums, place_of(s), *s.state);
  apply<Classes>(s, FullMatch::keep(sums.likelier));
}

template <int Classes>
void run_without_student(const PseudoLabelStep& s) {
  StepSums sums;
  look<Classes>(s, /*with_student=*/false, sums);
  move_state(s.thresholds, sums, place_of(s), *s.state);
  for (int i = 0; i < s.rows; ++i)
    s.weights[i] =
        weight_of(s.thresholds, *s.state, s.confidence[i], static_cast<int>(s.pseudo_labels[i]));
}

void check_classes(int classes, const ArgumentChecker& require) {
  require(classes >= 2 && classes <= kMaxClasses,
          "2 to " + std::to_string(kMaxClasses) + " classes, found " + std::to_string(classes));
}

/// What a step needs with a student and without.
void check_labelling(const PseudoLabelStep& s, const ArgumentChecker& require) {
  check_classes(s.classes, require);
  require(s.rows >= 0 && s.labelled_rows >= 0, "no negative number of rows");
  require(s.state != nullptr, "a state");
  require(s.rows == 0 || s.teacher, "the teacher's logits");
  require(s.rows == 0 || (s.pseudo_labels && s.confidence && s.weights),
          "room for labels, confidences and weights");
  require(!reads_labelled(s.thresholds) || s.labelled_rows == 0 || (s.labelled && s.labels),
          "the logits and labels of the labelled rows");
}

}  // namespace

ThresholdState first_state(const ThresholdRule& rule, int classes) {
  ThresholdState state;
  begin_state(rule, classes, state);
  return state;
}

void check(const PseudoLabelStep& s) {
  const ArgumentChecker require{"pseudo_label_step"};
  check_labelling(s, require);
  require(s.losses != nullptr, "room for two losses");
  require(s.rows == 0 || (s.student && s.gradient),
          "the student's logits and room for the gradient");
}

void pseudo_label_step(const PseudoLabelStep& step) {
  check(step);
  with_classes(step.classes, [&](auto classes) { run<decltype(classes)::value>(step); });
}

void update_and_label(const PseudoLabelStep& step) {
  check_labelling(step, ArgumentChecker{"update_and_label"});
  with_classes(step.classes,
               [&](auto classes) { run_without_student<decltype(classes)::value>(step); });
}

void select_negatives(const NegativeRule& rule, const float* teacher, const float* student,
                      const bool* accepted, int rows, int classes, bool* chosen) {
  check_classes(classes, ArgumentChecker{"select_negatives"});
  int likelier = 0;
  if (needs_agreement(rule)) {
    for (int i = 0; i < rows; ++i) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) * classes;
      const int label = likeliest<0>(teacher + at, classes);
      likelier = std::max(likelier, FullMatch::likelier(student + at, classes, label));
    }
  }
  for (int i = 0; i < rows; ++i) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) * classes;
    const float* q = teacher + at;
    const std::uint64_t row =
        negatives_of(rule, {q, student + at, classes, FullMatch::keep(likelier)},
                     likeliest<0>(q, classes), accepted[i]);
    for (int k = 0; k < classes; ++k) chosen[at + k] = row >> k & 1;
  }
}

}  // namespace fer::kernels
