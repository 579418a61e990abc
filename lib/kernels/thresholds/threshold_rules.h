// All threshold policies, and what a step does with the one that is chosen.
#pragma once

#include "kernels/policy_list.h"
#include "kernels/thresholds/ada_cm.h"
#include "kernels/thresholds/dta.h"
#include "kernels/thresholds/dta_cv.h"
#include "kernels/thresholds/fixed.h"
#include "kernels/thresholds/flex.h"
#include "kernels/thresholds/free.h"
#include "kernels/thresholds/soft.h"
#include "kernels/thresholds/threshold_step.h"
#include "util/host_device.h"

namespace fer::kernels {

/// The only place that names them all: names, settings, checkpoints, help and kernels follow.
using ThresholdPolicies = PolicyList<Fixed, Flex, Free, Soft, AdaCm, Dta, DtaCv>;

/// A threshold policy with its settings.
using ThresholdRule = PolicyChoice<ThresholdPolicies>;

/// What a threshold policy has learnt: plain numbers, so that it lies on the device and is copied
/// as it is. Zeros and what begin_state() sets at first.
struct ThresholdState {
  /// The confidence at which a row of each class is accepted.
  float thresholds[kMaxClasses] = {};
  ThresholdPolicies::State own;

  template <class P>
  FER_HOST_DEVICE typename P::State& of() {
    return own.as<typename P::State>();
  }
  template <class P>
  FER_HOST_DEVICE const typename P::State& of() const {
    return own.as<typename P::State>();
  }
};

FER_HOST_DEVICE inline bool reads_labelled(const ThresholdRule& rule) {
  return rule.visit([](auto type, const auto&) { return decltype(type)::Policy::kReadsLabelled; });
}

/// Makes of a state of zeros that of a policy that has seen nothing.
FER_HOST_DEVICE inline void begin_state(const ThresholdRule& rule, int classes, ThresholdState& s) {
  rule.visit([&](auto type, const auto& settings) {
    using Policy = typename decltype(type)::Policy;
    s.own.set(typename Policy::State{});
    Policy::begin(settings, classes, s.of<Policy>(), s.thresholds);
  });
}

/// Adds an unlabelled row to what the policy sums up.
template <class Sums>
FER_HOST_DEVICE inline void observe(const ThresholdRule& rule, const TeacherRow& row, Sums& sums) {
  rule.visit([&](auto type, const auto& settings) {
    decltype(type)::Policy::observe(settings, row, sums);
  });
}

/// Moves the state by a step, and the thresholds with it.
FER_HOST_DEVICE inline void move_state(const ThresholdRule& rule, const StepSums& sums,
                                       const StepPlace& now, ThresholdState& s) {
  rule.visit([&](auto type, const auto& settings) {
    using Policy = typename decltype(type)::Policy;
    Policy::learn(settings, sums, now, s.of<Policy>(), s.thresholds);
  });
}

/// Makes the thresholds of the rest of the state, where they are no part of it.
FER_HOST_DEVICE inline void show_thresholds(const ThresholdRule& rule, int classes,
                                            ThresholdState& s) {
  rule.visit([&](auto type, const auto& settings) {
    using Policy = typename decltype(type)::Policy;
    if constexpr (!Policy::kKeepsThresholds)
      Policy::show(settings, classes, s.of<Policy>(), s.thresholds);
  });
}

/// What a row of this confidence counts.
FER_HOST_DEVICE inline float weight_of(const ThresholdRule& rule, const ThresholdState& s,
                                       float confidence, int label) {
  return rule.visit([&](auto type, const auto& settings) {
    using Policy = typename decltype(type)::Policy;
    return Policy::weight(settings, s.of<Policy>(), s.thresholds[label], confidence);
  });
}

}  // namespace fer::kernels
