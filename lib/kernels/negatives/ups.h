#pragma once

#include "kernels/negatives/negative_rule.h"
#include "util/host_device.h"

namespace fer::kernels {

/// S(u) = {k : q_k < τ_n} for rows that are not accepted, τ_n = 0.05.
///
/// UPS: Rizve et al., ICLR 2021, arXiv 2101.06329, where only rows without a positive label have
/// negative ones. The paper asks in addition for a small spread of q_k over ten passes with
/// dropout; here one pass is looked at, as in its ablation without uncertainty.
struct Ups {
  FER_HOST_DEVICE static bool rules_out(const NegativeRule& rule, const float* q, int k) {
    return q[k] < static_cast<float>(rule.tau);
  }
};

}  // namespace fer::kernels
