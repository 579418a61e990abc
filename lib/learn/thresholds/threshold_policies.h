// The threshold policies that there are, for the factory.
#pragma once

#include "learn/thresholds/threshold_policy.h"

namespace fer {

std::unique_ptr<ThresholdPolicy> make_fixed(PolicyOptions& options, int classes,
                                            std::int64_t window);
std::unique_ptr<ThresholdPolicy> make_flex(PolicyOptions& options, int classes,
                                           std::int64_t window);
std::unique_ptr<ThresholdPolicy> make_free(PolicyOptions& options, int classes,
                                           std::int64_t window);
std::unique_ptr<ThresholdPolicy> make_soft(PolicyOptions& options, int classes,
                                           std::int64_t window);
std::unique_ptr<ThresholdPolicy> make_ada_cm(PolicyOptions& options, int classes,
                                             std::int64_t window);
std::unique_ptr<ThresholdPolicy> make_dta(PolicyOptions& options, int classes, std::int64_t window);

}  // namespace fer
