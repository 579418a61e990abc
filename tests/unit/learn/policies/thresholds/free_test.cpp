#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/tensors.h"

namespace fer {
namespace {

using test::unlabelled;
using test::values;
using testing::ElementsAre;
using testing::FloatNear;

TEST(Free, FollowsConfidenceAndPredictedShares) {
  const auto policy = make_threshold_policy("free:momentum=0.5", 2, 1);
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(0.5f, 0.5f));
  // Mean confidence (0.9 + 0.55 + 0.55) / 3 = 0.66667: τ = 0.58333. Mean probabilities 0.63333 and
  // 0.36667: p̃ = 0.56667 and 0.43333. T = τ and τ · 0.43333 / 0.56667.
  const PseudoLabels judged =
      policy->update_and_label(unlabelled(torch::tensor({{0.9, 0.1}, {0.55, 0.45}, {0.45, 0.55}})));
  EXPECT_THAT(values(policy->thresholds()),
              ElementsAre(FloatNear(0.583333f, 1e-5), FloatNear(0.446078f, 1e-5)));
  EXPECT_THAT(values(judged.weights), ElementsAre(1, 0, 1));
}

TEST(Free, StaysWhereItIsWithoutRows) {
  const auto policy = make_threshold_policy("free", 4, 1);
  policy->update_and_label(unlabelled(torch::empty({0, 4})));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(0.25f, 0.25f, 0.25f, 0.25f));
}

}  // namespace
}  // namespace fer
