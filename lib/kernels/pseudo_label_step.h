// What a step of semi-supervised learning makes of the teacher's and the student's logits, in one
// call: pseudo-labels, the thresholds' statistics, negatives, losses and the gradient. The formulas
// are those of kernels/thresholds, kernels/negatives and learn/losses/losses.h, which say where
// they come from; a step is two passes over its rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/negatives/negative_rules.h"
#include "kernels/thresholds/threshold_rules.h"

namespace fer::kernels {

/// As the policy begins. `classes` in [2, kMaxClasses].
ThresholdState first_state(const ThresholdRule& rule, int classes);

/// One step, row-major, fp32. All pointers are to memory of the processor for the CPU form and of
/// the device for the kernel; what is marked optional may be null.
struct PseudoLabelStep {
  int rows = 0;           ///< Unlabelled rows, N; may be 0.
  int labelled_rows = 0;  ///< M; may be 0.
  int classes = 0;        ///< C, in [2, kMaxClasses].

  const float* teacher = nullptr;         ///< N x C: logits of the weak views.
  const float* labelled = nullptr;        ///< M x C: logits of the labelled rows; ada-cm and dta.
  const std::int64_t* labels = nullptr;   ///< M: what those rows are, each in [0, C).
  bool teacher_is_probabilities = false;  ///< `teacher` and `labelled` are softmaxed already.
  const float* student = nullptr;         ///< N x C: logits of the strong views.

  std::int64_t step = 0;  ///< Steps before this one.
  int epoch = 0;          ///< Epochs before this one.
  ThresholdRule thresholds = ThresholdRule::of<Dta>();
  NegativeRule negatives = NegativeRule::of<Snl>();
  double lambda_u = 1;    ///< What the loss of the pseudo-labels counts in the gradient.
  double lambda_n = 0.1;  ///< What that of the negatives counts.

  ThresholdState* state = nullptr;        ///< Moved by the step before its rows are judged.
  std::int64_t* pseudo_labels = nullptr;  ///< N: the teacher's likeliest class.
  float* confidence = nullptr;            ///< N: its probability.
  float* weights = nullptr;        ///< N, in [0, 1]: what the row counts; accepted from 0.5 on.
  std::uint8_t* chosen = nullptr;  ///< N x C, 0 or 1: S(u). Optional.
  float* gradient = nullptr;       ///< N x C: of λ_u L_u + λ_n L_n at the student's logits.
  float* losses = nullptr;         ///< 2: L_u and L_n, means over the rows; 0 without rows.

  /// Device form only: pseudo_label_workspace() bytes, of which nothing needs to be kept.
  void* workspace = nullptr;
};

/// Throws std::invalid_argument that names what is missing or out of range.
void check(const PseudoLabelStep& step);

/// The CPU form, on the calling thread. Throws as check() does. Rows that are not numbers count
/// nothing in the statistics and make the losses no numbers.
void pseudo_label_step(const PseudoLabelStep& step);

/// Its first half alone, without a student: moves the state, and writes pseudo-labels, confidences
/// and weights. `student`, `chosen`, `gradient` and `losses` are not looked at. CPU form only.
/// Throws as check() does.
void update_and_label(const PseudoLabelStep& step);

/// The selection of its second half alone: `chosen` (rows x classes) is S(u) of each row. `teacher`
/// and `student` are probabilities (rows x classes). CPU form only.
void select_negatives(const NegativeRule& rule, const float* teacher, const float* student,
                      const bool* accepted, int rows, int classes, bool* chosen);

}  // namespace fer::kernels
