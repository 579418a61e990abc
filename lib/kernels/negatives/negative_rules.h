// Which policy's formula holds, by the kind of a rule.
#pragma once

#include <cstdint>

#include "kernels/negatives/argmin.h"
#include "kernels/negatives/fullmatch.h"
#include "kernels/negatives/lowest.h"
#include "kernels/negatives/negative_rule.h"
#include "kernels/negatives/snl.h"
#include "kernels/negatives/ups.h"
#include "util/host_device.h"

namespace fer::kernels {

/// S(u) of a row as one bit a class, of which there are at most 64. `q` are the teacher's
/// probabilities, `p` the student's; `label` is the teacher's likeliest class; `keep` is
/// FullMatch::keep() of the step. No policy rules the likeliest class out.
FER_HOST_DEVICE inline std::uint64_t negatives_of(const NegativeRule& rule, const float* q,
                                                  const float* p, int classes, int label,
                                                  bool accepted, int keep) {
  // No negative learning, as in FixMatch and its kin: S(u) is empty.
  if (rule.kind == NegativeRule::kNone) return 0;
  if (accepted && rule.kind != NegativeRule::kFullMatch) return 0;
  std::uint64_t chosen = 0;
  for (int k = 0; k < classes; ++k) {
    bool out = false;
    switch (rule.kind) {
      case NegativeRule::kUps:
        out = Ups::rules_out(rule, q, k);
        break;
      case NegativeRule::kSnl:
        out = Snl::rules_out(rule, q, p, classes, k);
        break;
      case NegativeRule::kLowest:
        out = Lowest::rules_out(rule.count, q, classes, k);
        break;
      case NegativeRule::kArgmin:
        out = Argmin::rules_out(q, classes, k);
        break;
      default:
        out = FullMatch::rules_out(keep, q, classes, k);
        break;
    }
    const bool plausible = rule.kind != NegativeRule::kFullMatch && !(q[k] < q[label]);
    if (out && !plausible) chosen |= std::uint64_t{1} << k;
  }
  return chosen;
}

}  // namespace fer::kernels
