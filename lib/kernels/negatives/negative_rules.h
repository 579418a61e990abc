// All negative policies, and what the one that is chosen rules out of a row.
#pragma once

#include <cstdint>

#include "kernels/negatives/argmin.h"
#include "kernels/negatives/fullmatch.h"
#include "kernels/negatives/lowest.h"
#include "kernels/negatives/negative_row.h"
#include "kernels/negatives/none.h"
#include "kernels/negatives/snl.h"
#include "kernels/negatives/snl_conformal.h"
#include "kernels/negatives/ups.h"
#include "kernels/policy_list.h"
#include "util/host_device.h"

namespace fer::kernels {

/// The only place that names them all: names, settings, help and kernels follow.
using NegativePolicies = PolicyList<NoNegatives, Ups, FullMatch, Lowest, Argmin, Snl, SnlConformal>;

/// A negative policy with its settings, and what has been put there of other rows.
struct NegativeRule : PolicyChoice<NegativePolicies> {
  NegativePolicies::State state;

  template <class P>
  static NegativeRule of(const typename P::Settings& settings = {}) {
    NegativeRule rule;
    static_cast<PolicyChoice&>(rule) = PolicyChoice::of<P>(settings);
    rule.state.set(typename P::State{});
    return rule;
  }
};

FER_HOST_DEVICE inline bool needs_agreement(const NegativeRule& rule) {
  return rule.visit([](auto type, const auto&) { return decltype(type)::Policy::kNeedsAgreement; });
}

/// S(u) of a row as one bit a class, of which there are at most 64. `label` is the teacher's
/// likeliest class, which no policy rules out.
FER_HOST_DEVICE inline std::uint64_t negatives_of(const NegativeRule& rule, const NegativeRow& row,
                                                  int label, bool accepted) {
  return rule.visit([&](auto type, const auto& settings) {
    using Policy = typename decltype(type)::Policy;
    std::uint64_t chosen = 0;
    if (accepted && !Policy::kOnAccepted) return chosen;
    const auto& state = rule.state.template as<typename Policy::State>();
    for (int k = 0; k < row.classes; ++k) {
      const bool plausible = !Policy::kOnAccepted && !(row.q[k] < row.q[label]);
      if (!plausible && Policy::rules_out(settings, state, row, k)) chosen |= std::uint64_t{1} << k;
    }
    return chosen;
  });
}

}  // namespace fer::kernels
