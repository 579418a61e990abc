// What a negative policy reads of a row, and what it may leave out, as plain numbers that processor
// and device share. The policies' formulas stand in the headers of this folder, one each.
#pragma once

#include "util/host_device.h"

namespace fer::kernels {

/// Both networks' word on one unlabelled row.
struct NegativeRow {
  const float* q = nullptr;  ///< C: the teacher's probabilities of the weak view.
  const float* p = nullptr;  ///< C: the student's of the strong view.
  int classes = 0;
  /// With kNeedsAgreement: the number of likeliest classes that stay.
  int keep = 0;
};

/// What a negative policy does where it says nothing else. Policies derive from it, and have
/// besides `kName` and
///
///   static bool rules_out(const Settings&, const State&, const NegativeRow& row, int k);
struct NegativeDefaults {
  /// True where rows whose pseudo-label is accepted have negatives, too.
  static constexpr bool kOnAccepted = false;
  /// True where it needs to know how far the two views of all rows agree (NegativeRow::keep).
  static constexpr bool kNeedsAgreement = false;
  /// True where it learns from heads that are fitted beside the network (learn/semi/cross_fit.h).
  static constexpr bool kCrossFits = false;

  struct Settings {};
  struct State {};
  /// Names the settings: field("tau", s.tau, 0, 1). There are `classes` classes.
  template <class Fields, class AnySettings>
  static void settings(Fields&&, AnySettings&, int /*classes*/) {}
};

}  // namespace fer::kernels
