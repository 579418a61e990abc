// Which policy's formula holds, by the kind of a rule.
#pragma once

#include "kernels/thresholds/ada_cm.h"
#include "kernels/thresholds/dta.h"
#include "kernels/thresholds/fixed.h"
#include "kernels/thresholds/flex.h"
#include "kernels/thresholds/free.h"
#include "kernels/thresholds/soft.h"
#include "kernels/thresholds/threshold_rule.h"
#include "util/host_device.h"

namespace fer::kernels {

FER_HOST_DEVICE inline bool reads_labelled(const ThresholdRule& rule) {
  return rule.kind == ThresholdRule::kAdaCm || rule.kind == ThresholdRule::kDta;
}

/// Makes of a state of zeros that of a policy that has seen nothing.
FER_HOST_DEVICE inline void begin_state(const ThresholdRule& rule, int classes, ThresholdState& s) {
  switch (rule.kind) {
    case ThresholdRule::kFixed:
      return Fixed::begin(rule, classes, s);
    case ThresholdRule::kFlex:
      return Flex::begin(rule, classes, s);
    case ThresholdRule::kFree:
      return Free::begin(rule, classes, s);
    case ThresholdRule::kSoft:
      return Soft::begin(rule, classes, s);
    case ThresholdRule::kAdaCm:
      return AdaCm::begin(rule, classes, s);
    case ThresholdRule::kDta:
      return Dta::begin(rule, classes, s);
  }
}

/// Moves the state by a step, and the thresholds with it.
FER_HOST_DEVICE inline void move_state(const ThresholdRule& rule, const StepSums& sums,
                                       const StepPlace& now, ThresholdState& s) {
  switch (rule.kind) {
    case ThresholdRule::kFixed:
      return;
    case ThresholdRule::kFlex:
      return Flex::learn(rule, sums, now, s);
    case ThresholdRule::kFree:
      return Free::learn(rule, sums, now, s);
    case ThresholdRule::kSoft:
      return Soft::learn(rule, sums, now, s);
    case ThresholdRule::kAdaCm:
      return AdaCm::learn(rule, sums, now, s);
    case ThresholdRule::kDta:
      return Dta::learn(rule, sums, now, s);
  }
}

/// Makes the thresholds of the rest of the state, where they are no part of it.
FER_HOST_DEVICE inline void show_thresholds(const ThresholdRule& rule, int classes,
                                            ThresholdState& s) {
  switch (rule.kind) {
    case ThresholdRule::kFlex:
      return Flex::show(rule, classes, s);
    case ThresholdRule::kFree:
      return Free::show(rule, classes, s);
    case ThresholdRule::kSoft:
      return Soft::show(rule, classes, s);
    default:
      return;
  }
}

/// What a row of this confidence counts.
FER_HOST_DEVICE inline float weight_of(const ThresholdRule& rule, const ThresholdState& s,
                                       float confidence, int label) {
  if (rule.kind == ThresholdRule::kSoft) return Soft::weight(rule, s, confidence);
  return confidence >= s.thresholds[label] ? 1.f : 0.f;
}

}  // namespace fer::kernels
