#pragma once

#include "kernels/negatives/negative_row.h"
#include "kernels/thresholds/threshold_step.h"

namespace fer::kernels {

/// Selective negative learning with a guarantee for each class, for rows that are not accepted:
///
///   S(u) = {k : q_k < Q_k  and  p_k >= ε},  ε = 0.01,
///
/// where Q_k is the α-quantile of the probability of k that labelled faces of class k get from
/// heads that have not seen them. It is class-conditional conformal prediction (Vovk 2012, arXiv
/// 1209.2673): as long as unlabelled faces of a class are like its labelled ones, at most a share α
/// of them has its true class ruled out. α = 0.05; a class with fewer than 1/α − 1 labels is never
/// ruled out.
///
/// Q is made on the processor (learn/semi/cross_fit.h); before that S(u) is empty.
struct SnlConformal : NegativeDefaults {
  static constexpr const char* kName = "snl-conformal";
  static constexpr bool kCrossFits = true;
  struct Settings {
    double alpha = 0.05;
    double floor = 0.01;  ///< ε.
  };
  struct State {
    float quantiles[kMaxClasses] = {};  ///< Q.
  };
  template <class Fields>
  static void settings(Fields&& field, Settings& s, int) {
    field("alpha", s.alpha, 0, 1);
    field("floor", s.floor, 0, 1);
  }

  FER_HOST_DEVICE static bool rules_out(const Settings& set, const State& state,
                                        const NegativeRow& row, int k) {
    return row.q[k] < state.quantiles[k] && row.p[k] >= static_cast<float>(set.floor);
  }
};

}  // namespace fer::kernels
