// The arithmetic of pseudo_label_step() for one row, but for the policies' own
// (kernels/thresholds, kernels/negatives). `Classes` is the number of classes where it is known
// when this is compiled, so that loops unroll; else 0.
#pragma once

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "kernels/fast_exp.h"
#include "kernels/negatives/negative_rules.h"
#include "kernels/pseudo_label_step.h"
#include "kernels/thresholds/threshold_rules.h"
#include "util/host_device.h"

namespace fer::kernels {

/// Room for a row.
template <int Classes>
inline constexpr int kRoom = Classes > 0 ? Classes : kMaxClasses;

template <int Classes>
FER_HOST_DEVICE inline int count_of(int classes) {
  return Classes > 0 ? Classes : classes;
}

/// Calls `body(std::integral_constant<int, Classes>)`: FER+ has 8 classes, RAF-DB and AffectNet's
/// smaller set have 7, and others take what is slower.
template <typename Body>
void with_classes(int classes, Body&& body) {
  if (classes == 8) return body(std::integral_constant<int, 8>{});
  if (classes == 7) return body(std::integral_constant<int, 7>{});
  body(std::integral_constant<int, 0>{});
}

/// Probabilities of a row of logits.
template <int Classes>
FER_HOST_DEVICE inline void softmax_row(const float* logits, int classes, float* p) {
  const int n = count_of<Classes>(classes);
  float top = logits[0];
  for (int k = 1; k < n; ++k) top = logits[k] > top ? logits[k] : top;
  float sum = 0;
  for (int k = 0; k < n; ++k) p[k] = exp_of_negative(logits[k] - top);
  for (int k = 0; k < n; ++k) sum += p[k];
  for (int k = 0; k < n; ++k) p[k] = p[k] / sum;
}

/// The first of the largest values.
template <int Classes>
FER_HOST_DEVICE inline int likeliest(const float* p, int classes) {
  const int n = count_of<Classes>(classes);
  int best = 0;
  float top = p[0];
  for (int k = 1; k < n; ++k) {
    if (!(p[k] > top)) continue;
    top = p[k];
    best = k;
  }
  return best;
}

FER_HOST_DEVICE inline StepPlace place_of(const PseudoLabelStep& s) {
  return {s.rows, s.classes, s.step, s.epoch};
}

/// fullmatch: classes that the strong view's logits think likelier than the teacher's label.
template <int Classes>
FER_HOST_DEVICE inline int likelier_classes(const float* student, int classes, int label) {
  float p[kRoom<Classes>];
  softmax_row<Classes>(student, classes, p);
  return FullMatch::likelier(p, count_of<Classes>(classes), label);
}

/// The losses of one row.
struct RowLoss {
  float u, n;
};

/// A student's row, seen once: what both losses and their gradient are made of.
template <int Classes>
struct StudentRow {
  float e[kRoom<Classes>];  ///< e^(z - max).
  float p[kRoom<Classes>];
  float sum, log_sum;
  int top;

  FER_HOST_DEVICE StudentRow(const float* z, int classes) {
    const int n = count_of<Classes>(classes);
    top = likeliest<Classes>(z, classes);
    const float most = z[top];
    for (int k = 0; k < n; ++k) e[k] = exp_of_negative(z[k] - most);
    sum = 0;
    for (int k = 0; k < n; ++k) sum += e[k];
    for (int k = 0; k < n; ++k) p[k] = e[k] / sum;
    log_sum = std::log(sum);
  }
};

/// Losses of a row and `gradient` (C) of scale_u · u + scale_n · n at its logits `z`.
///
/// The gradient of -log(1 - p_k) at z_j is p_j - e_j / Σ_{i≠k} e_i, and p_k at z_k: 1 - p_k is
/// never formed. For the likeliest class the others may all vanish beside it, so that their sum is
/// taken relative to the largest of them.
template <int Classes>
FER_HOST_DEVICE inline RowLoss row_loss(const StudentRow<Classes>& row, const float* z, int classes,
                                        int label, float weight, std::uint64_t chosen,
                                        float scale_u, float scale_n, float* gradient) {
  const int n = count_of<Classes>(classes);
  RowLoss loss{-weight * (z[label] - z[row.top] - row.log_sum), 0};
  const float u = scale_u * weight;
  for (int k = 0; k < n; ++k) gradient[k] = u * (row.p[k] - (k == label ? 1.f : 0.f));
  if (chosen == 0) return loss;

  int count = 0;
  for (int k = 0; k < n; ++k) count += chosen >> k & 1;
  const float share = 1.f / static_cast<float>(count);
  // Σ over the chosen k but the likeliest of 1 / Σ_{i≠k} e_i, and each one's part in it.
  float inverse[kRoom<Classes>], inverses = 0, log_not = 0;
  for (int k = 0; k < n; ++k) {
    inverse[k] = 0;
    if (!(chosen >> k & 1) || k == row.top) continue;
    const float others = row.sum - row.e[k];
    inverse[k] = 1 / others;
    inverses += inverse[k];
    log_not += std::log(others) - row.log_sum;
  }
  const float g = scale_n * share;
  for (int k = 0; k < n; ++k) {
    gradient[k] += g * (static_cast<float>(count) * row.p[k] - row.e[k] * (inverses - inverse[k]));
  }
  if (chosen >> row.top & 1) {
    float second = -FLT_MAX;
    for (int k = 0; k < n; ++k) second = k != row.top && z[k] > second ? z[k] : second;
    float rest[kRoom<Classes>], others = 0;
    for (int k = 0; k < n; ++k) rest[k] = k == row.top ? 0.f : exp_of_negative(z[k] - second);
    for (int k = 0; k < n; ++k) others += rest[k];
    for (int k = 0; k < n; ++k) gradient[k] -= g * rest[k] / others;
    log_not += second - z[row.top] + std::log(others) - row.log_sum;
  }
  loss.n = -log_not * share;
  return loss;
}

}  // namespace fer::kernels
