#pragma once

#include "kernels/negatives/negative_row.h"

namespace fer::kernels {

/// S(u) = {k : q_k < τ_n} for rows that are not accepted, τ_n = 0.05.
///
/// UPS: Rizve et al., ICLR 2021, arXiv 2101.06329, where only rows without a positive label have
/// negative ones. The paper asks in addition for a small spread of q_k over ten passes with
/// dropout; here one pass is looked at, as in its ablation without uncertainty.
struct Ups : NegativeDefaults {
  static constexpr const char* kName = "ups";
  struct Settings {
    double tau = 0.05;
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s, int) {
    field("tau", s.tau, 0, 1);
  }

  FER_HOST_DEVICE static bool rules_out(const Settings& set, const State&, const NegativeRow& row,
                                        int k) {
    return row.q[k] < static_cast<float>(set.tau);
  }
};

}  // namespace fer::kernels
