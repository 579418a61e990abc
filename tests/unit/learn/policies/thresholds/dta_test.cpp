#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "unit/learn/tensors.h"

namespace fer {
namespace {

using test::labelled;
using test::values;
using testing::ElementsAre;
using testing::FloatNear;

TEST(Dta, FollowsTheConfidenceOnWhatIsRight) {
  const auto policy =
      make_threshold_policy("dta:beta=1,t-min=0.1,t-max=0.9,decay=0.5,ramp=1", 2, 1);
  EXPECT_TRUE(policy->uses_labelled());
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(0.1f, 0.1f));
  // Late enough for r = 1. Class 0 right with 0.8 and 0.6: their mean; class 1 wrong: T_min.
  policy->update_and_label(
      labelled(torch::tensor({{0.8, 0.2}, {0.6, 0.4}, {0.7, 0.3}}), torch::tensor({0, 0, 1}), 100));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(FloatNear(0.7f, 1e-5), 0.1f));
  // Class 0: the sum 0.75 · 0.7 halves and 0.5 · 0.9 comes in, over a weight of 0.375 + 0.5.
  // Class 1: 1, cut to T_max.
  policy->update_and_label(
      labelled(torch::tensor({{0.9, 0.1}, {0.0, 1.0}}), torch::tensor({0, 1}), 101));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(FloatNear(0.814286f, 1e-5), 0.9f));
}

TEST(Dta, RisesWithTheSteps) {
  const auto after = [](std::int64_t step) {
    const auto policy = make_threshold_policy("dta:beta=1,t-min=0,t-max=1,ramp=100", 2, 1);
    policy->update_and_label(labelled(torch::tensor({{0.8, 0.2}}), torch::tensor({0}), step));
    return values(policy->thresholds())[0];
  };
  EXPECT_NEAR(after(0), 0.4, 1e-5);
  EXPECT_NEAR(after(100), 0.8 / (1 + std::exp(-1.0)), 1e-5);
  EXPECT_NEAR(after(2000), 0.8, 1e-5);
}

TEST(Dta, BeginsAndStaysAtTheLeastThatTheDesignNames) {
  const auto policy = make_threshold_policy("dta", 2, 1);
  PolicyInput step = labelled(torch::tensor({{0.9, 0.1}}), torch::tensor({0}), /*step=*/0);
  step.unlabelled = torch::tensor({{0.79, 0.21}, {0.81, 0.19}, {0.1, 0.9}});
  EXPECT_THAT(values(policy->update_and_label(step).weights), ElementsAre(0, 1, 1));
  // 0.97 · 0.9 once r has risen.
  step.step = 100000;
  EXPECT_THAT(values(policy->update_and_label(step).weights), ElementsAre(0, 0, 1));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(FloatNear(0.873f, 1e-4), 0.8f));
}

}  // namespace
}  // namespace fer
