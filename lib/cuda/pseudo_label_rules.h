// The arithmetic of pseudo_label_step() for one row and for one step's statistics. `Classes` is the
// number of classes where it is known when this is compiled, so that loops unroll; else 0.
#pragma once

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "cuda/fast_exp.h"
#include "cuda/pseudo_label_step.h"
#include "cuda/units.h"
#include "host_device.h"

namespace fer::kernels {

/// Room for a row.
template <int Classes>
inline constexpr int kRoom = Classes > 0 ? Classes : kMostClasses;

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

/// Sums over the rows of a step, in the units of units.h.
struct StepSums {
  /// ada-cm, dta: confidences of the labelled rows that are right. free: probabilities.
  unsigned long long by_class[kMostClasses] = {};
  /// ada-cm, dta: those rows. flex: confident rows. Not in units.
  unsigned long long counts[kMostClasses] = {};
  unsigned long long confidence = 0;  ///< free, soft.
  unsigned long long squares = 0;     ///< soft.
  /// fullmatch: classes that the strong view thinks likelier than the label, in the worst row.
  int likelier = 0;
};

/// fullmatch's k: the teacher's likeliest classes that no row is taught not to be.
FER_HOST_DEVICE inline int keep_of(const StepSums& sums) {
  return sums.likelier + 1 > 2 ? sums.likelier + 1 : 2;
}

FER_HOST_DEVICE inline bool reads_labelled(const ThresholdRule& rule) {
  return rule.kind == ThresholdRule::kAdaCm || rule.kind == ThresholdRule::kDta;
}

/// Where the rule reads unlabelled rows before it judges them.
FER_HOST_DEVICE inline bool reads_unlabelled(const ThresholdRule& rule) {
  return rule.kind == ThresholdRule::kFlex || rule.kind == ThresholdRule::kFree ||
         rule.kind == ThresholdRule::kSoft;
}

/// Classes that the strong view thinks likelier than the teacher's label.
template <int Classes>
FER_HOST_DEVICE inline int likelier_classes(const float* student, int classes, int label) {
  float p[kRoom<Classes>];
  softmax_row<Classes>(student, classes, p);
  int likelier = 0;
  for (int k = 0; k < count_of<Classes>(classes); ++k) likelier += p[k] > p[label];
  return likelier;
}

/// A larger weight for what came lately; in single precision, as the tensors of the policies.
FER_HOST_DEVICE inline float moved(float average, double momentum, float now) {
  return average * static_cast<float>(momentum) + static_cast<float>(1 - momentum) * now;
}

/// Moves the state by a step of `rows` unlabelled rows, then says the thresholds.
FER_HOST_DEVICE inline void move_state(const ThresholdRule& rule, const StepSums& sums, int rows,
                                       int classes, std::int64_t step, int epoch,
                                       ThresholdState& s) {
  switch (rule.kind) {
    case ThresholdRule::kFixed:
      for (int k = 0; k < classes; ++k) s.thresholds[k] = static_cast<float>(rule.tau);
      return;
    case ThresholdRule::kFlex: {
      const double left = 1 - rows / rule.window;
      const float kept = left > 0 ? static_cast<float>(left) : 0.f;
      unsigned long long confident = 0;
      float top = 0;
      for (int k = 0; k < classes; ++k) {
        s.sums[k] = s.sums[k] * kept + static_cast<float>(sums.counts[k]);
        confident += sums.counts[k];
        top = s.sums[k] > top ? s.sums[k] : top;
      }
      s.mean =
          s.mean * kept + static_cast<float>(static_cast<unsigned long long>(rows) - confident);
      top = s.mean > top ? s.mean : top;
      for (int k = 0; k < classes; ++k) {
        const float x = s.sums[k] / top;
        s.thresholds[k] = static_cast<float>(rule.tau) * x / (2 - x);
      }
      return;
    }
    case ThresholdRule::kFree: {
      if (rows > 0) {
        s.mean =
            moved(s.mean, rule.momentum, static_cast<float>(from_units(sums.confidence) / rows));
        for (int k = 0; k < classes; ++k) {
          s.sums[k] = moved(s.sums[k], rule.momentum,
                            static_cast<float>(from_units(sums.by_class[k]) / rows));
        }
      }
      float top = 0;
      for (int k = 0; k < classes; ++k) top = s.sums[k] > top ? s.sums[k] : top;
      for (int k = 0; k < classes; ++k) s.thresholds[k] = s.mean * s.sums[k] / top;
      return;
    }
    case ThresholdRule::kSoft: {
      if (rows > 0) {
        const double mean = from_units(sums.confidence) / rows;
        s.mean = moved(s.mean, rule.momentum, static_cast<float>(mean));
        if (rows > 1) {
          const double spread = from_units(sums.squares) - mean * mean * rows;
          s.variance = moved(s.variance, rule.momentum,
                             static_cast<float>((spread > 0 ? spread : 0) / (rows - 1)));
        }
      }
      const double ln2 = 0.69314718055994531;
      const float distance =
          std::sqrt(s.variance * static_cast<float>(2 * ln2 / (rule.sigmas * rule.sigmas)));
      const float half = s.mean - distance;
      for (int k = 0; k < classes; ++k) s.thresholds[k] = half > 0 ? half : 0;
      return;
    }
    case ThresholdRule::kAdaCm: {
      const bool ended = s.mean != static_cast<float>(epoch);
      const double rise = 1 / (1 + std::exp(-static_cast<double>(epoch)));
      for (int k = 0; k < classes; ++k) {
        if (ended) {
          const float next = s.sums[k] / (s.counts[k] > 1 ? s.counts[k] : 1.f) *
                             static_cast<float>(rule.beta * rise);
          const auto least = static_cast<float>(rule.least);
          s.thresholds[k] = next > least ? next : least;
          s.sums[k] = s.counts[k] = 0;
        }
        s.sums[k] += static_cast<float>(from_units(sums.by_class[k]));
        s.counts[k] += static_cast<float>(sums.counts[k]);
      }
      s.mean = static_cast<float>(epoch);
      return;
    }
    case ThresholdRule::kDta: {
      const double rise = 1 / (1 + std::exp(-static_cast<double>(step) / rule.ramp));
      for (int k = 0; k < classes; ++k) {
        const auto count = static_cast<float>(sums.counts[k]);
        const float mean =
            static_cast<float>(from_units(sums.by_class[k])) / (count > 1 ? count : 1.f);
        const float kept = std::pow(static_cast<float>(rule.decay), count);
        s.sums[k] = s.sums[k] * kept + (1 - kept) * mean;
        s.counts[k] = s.counts[k] * kept + (1 - kept);
        const float m = s.sums[k] / (s.counts[k] > 1e-12f ? s.counts[k] : 1e-12f);
        const float t = m * static_cast<float>(rule.beta * rise);
        const auto least = static_cast<float>(rule.least), most = static_cast<float>(rule.most);
        s.thresholds[k] = t < least ? least : t > most ? most : t;
      }
      return;
    }
  }
}

/// What a row of this confidence counts.
FER_HOST_DEVICE inline float weight_of(const ThresholdRule& rule, const ThresholdState& s,
                                       float confidence, int label) {
  if (rule.kind != ThresholdRule::kSoft) return confidence >= s.thresholds[label] ? 1.f : 0.f;
  const float distance = confidence - s.mean;
  const float below = distance < 0 ? distance : 0;
  const float variance = s.variance > 1e-12f ? s.variance : 1e-12f;
  return exp_of_negative(-below * below /
                         (2 * variance / static_cast<float>(rule.sigmas * rule.sigmas)));
}

/// S(u) as one bit a class. `q` are the teacher's probabilities, `p` the student's; `keep` is
/// fullmatch's k.
template <int Classes>
FER_HOST_DEVICE inline std::uint64_t negatives_of(const NegativeRule& rule, const float* q,
                                                  const float* p, int classes, int label,
                                                  bool accepted, int keep) {
  const int n = count_of<Classes>(classes);
  if (rule.kind == NegativeRule::kNone) return 0;
  if (accepted && rule.kind != NegativeRule::kFullMatch) return 0;
  std::uint64_t chosen = 0;
  for (int k = 0; k < n; ++k) {
    bool out = false;
    switch (rule.kind) {
      case NegativeRule::kUps:
        out = q[k] < static_cast<float>(rule.tau);
        break;
      case NegativeRule::kSnl: {
        // The class together with all less likely ones, ties in their order; a small allowance, so
        // that rounding in the sum does not decide.
        float together = 0;
        for (int j = 0; j < n; ++j)
          together += q[j] < q[k] || (q[j] == q[k] && j <= k) ? q[j] : 0.f;
        out = together <= static_cast<float>(rule.mass + 1e-6) &&
              p[k] >= static_cast<float>(rule.floor);
        break;
      }
      case NegativeRule::kLowest:
      case NegativeRule::kArgmin: {
        int lower = 0;
        for (int j = 0; j < n; ++j) lower += q[j] < q[k] || (q[j] == q[k] && j < k);
        out = lower < (rule.kind == NegativeRule::kArgmin ? 1 : rule.count);
        break;
      }
      default: {
        int higher = 0;
        for (int j = 0; j < n; ++j) higher += q[j] > q[k] || (q[j] == q[k] && j < k);
        out = higher >= keep;
        break;
      }
    }
    const bool plausible = rule.kind != NegativeRule::kFullMatch && !(q[k] < q[label]);
    if (out && !plausible) chosen |= std::uint64_t{1} << k;
  }
  return chosen;
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
