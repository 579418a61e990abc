// The negative policies that there are, for the factory.
#pragma once

#include "learn/negatives/negative_policy.h"

namespace fer {

std::unique_ptr<NegativePolicy> make_none(PolicyOptions& options, int classes);
std::unique_ptr<NegativePolicy> make_ups(PolicyOptions& options, int classes);
std::unique_ptr<NegativePolicy> make_fullmatch(PolicyOptions& options, int classes);
std::unique_ptr<NegativePolicy> make_lowest(PolicyOptions& options, int classes);
std::unique_ptr<NegativePolicy> make_argmin(PolicyOptions& options, int classes);
std::unique_ptr<NegativePolicy> make_snl(PolicyOptions& options, int classes);

}  // namespace fer
