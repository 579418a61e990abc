// A threshold policy without tensors: its settings, what it has learnt, and what it reads in a
// step, as plain numbers that processor and device share. The policies' formulas over them stand in
// the headers of this folder, one a policy.
#pragma once

#include <cstdint>

#include "util/host_device.h"

namespace fer::kernels {

/// Classes that a step can tell apart.
inline constexpr int kMostClasses = 64;

/// A threshold policy by its kind, with the settings that the kind has.
struct ThresholdRule {
  enum Kind { kFixed, kFlex, kFree, kSoft, kAdaCm, kDta };
  Kind kind = kDta;
  double tau = 0.95;        ///< fixed, flex.
  double window = 1;        ///< flex: rows.
  double momentum = 0.999;  ///< free, soft.
  double sigmas = 2;        ///< soft.
  double beta = 0.97;       ///< ada-cm, dta.
  double least = 0.8;       ///< ada-cm, dta: t-min.
  double most = 0.95;       ///< dta: t-max.
  double decay = 0.99;      ///< dta.
  double ramp = 500;        ///< dta: steps.
};

/// What a threshold policy has learnt. Begins as zeros and what begin_state() sets. Plain numbers,
/// so that it lies on the device and is copied as it is.
struct ThresholdState {
  float thresholds[kMostClasses] =
      {};                           ///< The confidence at which a row of each class is accepted.
  float sums[kMostClasses] = {};    ///< ada-cm, dta: sum. flex: sigma. free: p.
  float counts[kMostClasses] = {};  ///< ada-cm: count. dta: weight.
  float mean = 0;                   ///< flex: unused. free: tau. soft: mean. ada-cm: epoch.
  float variance = 0;               ///< soft.
};

/// The same threshold for each class.
FER_HOST_DEVICE inline void set_all(double threshold, int classes, ThresholdState& s) {
  for (int k = 0; k < classes; ++k) s.thresholds[k] = static_cast<float>(threshold);
}

/// Sums over the rows of a step, in the units of kernels/units.h.
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

/// Which step the sums are of.
struct StepPlace {
  int rows = 0;           ///< Unlabelled ones.
  int classes = 0;        ///< In [2, kMostClasses].
  std::int64_t step = 0;  ///< Steps before this one.
  int epoch = 0;          ///< Epochs before this one.
};

}  // namespace fer::kernels
