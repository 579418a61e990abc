// What a threshold policy reads in a step and what it may leave out, as plain numbers that
// processor and device share. The policies' formulas stand in the headers of this folder, one each.
#pragma once

#include <cstdint>

#include "kernels/units.h"
#include "util/host_device.h"

namespace fer::kernels {

/// Classes that a step can tell apart.
inline constexpr int kMaxClasses = 64;

/// Sums over the rows of a step, in the units of kernels/units.h.
struct StepSums {
  /// Of what a policy's observe() adds a class; with kReadsLabelled, of the confidences of the
  /// labelled rows that are right.
  unsigned long long by_class[kMaxClasses] = {};
  /// Rows that it counts a class; with kReadsLabelled, those labelled rows. Not in units.
  unsigned long long counts[kMaxClasses] = {};
  unsigned long long confidence = 0;
  unsigned long long squares = 0;
  /// Of negative policies with kNeedsAgreement: classes that the strong view thinks likelier than
  /// the label, in the worst row.
  int likelier = 0;
};

/// Which step the sums are of.
struct StepPlace {
  int rows = 0;           ///< Unlabelled ones.
  int classes = 0;        ///< In [2, kMaxClasses].
  std::int64_t step = 0;  ///< Steps before this one.
  int epoch = 0;          ///< Epochs before this one.
};

/// The teacher's word on one unlabelled row.
struct TeacherRow {
  const float* q = nullptr;  ///< C probabilities.
  int classes = 0;
  int label = 0;         ///< The likeliest class.
  float confidence = 0;  ///< Its probability.
};

/// What a threshold policy does where it says nothing else: it learns nothing, and accepts a row
/// from its class's threshold on. Policies derive from it and write down what differs.
///
/// A policy has besides: `kName`; plain structs `Settings` and `State` (all zeros, but for what
/// begin() sets); begin(); and two functions that name the members for text, JSON and checkpoints:
///
///   template <class F> static void settings(F&& f, Settings& s)  → f("tau", s.tau, 0, 1);
///   template <class F> static void state(F&& f, State& s)        → f("sigma", s.sigma);
struct ThresholdDefaults {
  /// True where it learns from labelled rows, too.
  static constexpr bool kReadsLabelled = false;
  /// True where the thresholds are a part of the state, and are not made of the rest by show().
  static constexpr bool kKeepsThresholds = false;
  /// True where thresholds and pseudo-labels come from heads that are fitted beside the network
  /// (learn/semi/cross_fit.h).
  static constexpr bool kCrossFits = false;

  struct State {};
  template <class Fields>
  static void state(Fields&&, State&) {}

  /// Adds an unlabelled row to the step's sums: sums.add_class(k, x), sums.count(k),
  /// sums.add_confidence(x), sums.add_square(x), with x in [0, 1].
  template <class Settings, class Sums>
  FER_HOST_DEVICE static void observe(const Settings&, const TeacherRow&, Sums&) {}

  /// Moves state and thresholds by the step's sums.
  template <class Settings, class AnyState>
  FER_HOST_DEVICE static void learn(const Settings&, const StepSums&, const StepPlace&, AnyState&,
                                    float*) {}

  /// Makes the thresholds of the state.
  template <class Settings, class AnyState>
  FER_HOST_DEVICE static void show(const Settings&, int, const AnyState&, float*) {}

  /// What a row of this confidence counts, in [0, 1].
  template <class Settings, class AnyState>
  FER_HOST_DEVICE static float weight(const Settings&, const AnyState&, float threshold,
                                      float confidence) {
    return confidence >= threshold ? 1.f : 0.f;
  }
};

/// The same threshold for each class.
FER_HOST_DEVICE inline void set_all(double threshold, int classes, float* thresholds) {
  for (int k = 0; k < classes; ++k) thresholds[k] = static_cast<float>(threshold);
}

}  // namespace fer::kernels
