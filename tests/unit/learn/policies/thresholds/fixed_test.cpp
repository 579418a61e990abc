#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/tensors.h"

namespace fer {
namespace {

using test::unlabelled;
using test::values;
using testing::ElementsAre;

TEST(Fixed, AcceptsFromItsThresholdOn) {
  const auto policy = make_threshold_policy("fixed", 3, 1);
  const PseudoLabels judged = policy->update_and_label(
      unlabelled(torch::tensor({{0.96, 0.02, 0.02}, {0.03, 0.94, 0.03}, {0.025, 0.025, 0.95}})));
  EXPECT_THAT(values(judged.labels), ElementsAre(0, 1, 2));
  EXPECT_THAT(values(judged.weights), ElementsAre(1, 0, 1));
  EXPECT_THAT(values(judged.accepted()), ElementsAre(1, 0, 1));
  EXPECT_THAT(values(judged.confidence), ElementsAre(0.96f, 0.94f, 0.95f));
}

TEST(Fixed, TakesAnotherThreshold) {
  const auto policy = make_threshold_policy("fixed:tau=0.5", 2, 1);
  EXPECT_THAT(
      values(policy->update_and_label(unlabelled(torch::tensor({{0.6, 0.4}, {0.3, 0.7}}))).weights),
      ElementsAre(1, 1));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(0.5f, 0.5f));
  EXPECT_FALSE(policy->uses_labelled());
}

}  // namespace
}  // namespace fer
