#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/tensors.h"

namespace fer {
namespace {

using test::unlabelled;
using test::values;
using testing::ElementsAre;
using testing::FloatNear;

TEST(Flex, BeginsWithAllRowsUnused) {
  const auto policy = make_threshold_policy("flex:tau=0.9", 2, 10);
  // Two confident rows of class 0 and one that is not: of the ten unused rows of the window seven
  // are left, and one comes in. x = 2/8, T = 0.9 · 0.25 / 1.75.
  const PseudoLabels judged =
      policy->update_and_label(unlabelled(torch::tensor({{0.95, 0.05}, {0.92, 0.08}, {0.3, 0.7}})));
  EXPECT_THAT(values(policy->state_dict().at("sigma")), ElementsAre(2, 0));
  EXPECT_THAT(values(policy->state_dict().at("unused")), ElementsAre(FloatNear(8, 1e-5)));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(FloatNear(0.128571f, 1e-5), 0));
  EXPECT_THAT(values(judged.weights), ElementsAre(1, 1, 1));
}

TEST(Flex, LowersTheThresholdOfClassesWithFewConfidentRows) {
  const auto policy = make_threshold_policy("flex:tau=0.9", 2, 10);
  const torch::Tensor of_0 = torch::tensor({{0.95, 0.05}}).repeat({6, 1});
  const torch::Tensor of_1 = torch::tensor({{0.05, 0.95}}).repeat({3, 1});
  const torch::Tensor unsure = torch::tensor({{0.8, 0.2}});
  // A whole window: 6 and 3 confident rows, one unused. x = 1 and 1/2.
  const PseudoLabels judged =
      policy->update_and_label(unlabelled(torch::cat({of_0, of_1, unsure})));
  EXPECT_THAT(values(policy->thresholds()),
              ElementsAre(FloatNear(0.9f, 1e-6), FloatNear(0.9f * 0.5f / 1.5f, 1e-6)));
  EXPECT_EQ(judged.weights[9].item<float>(), 0);
  EXPECT_EQ(judged.weights[8].item<float>(), 1);
}

TEST(Flex, ForgetsWhatHasLeftTheWindow) {
  const auto policy = make_threshold_policy("flex:tau=0.9,window=4", 2, 1000);
  policy->update_and_label(unlabelled(torch::tensor({{0.95, 0.05}}).repeat({4, 1})));
  EXPECT_THAT(values(policy->state_dict().at("sigma")), ElementsAre(4, 0));
  policy->update_and_label(unlabelled(torch::tensor({{0.05, 0.95}}).repeat({4, 1})));
  EXPECT_THAT(values(policy->state_dict().at("sigma")), ElementsAre(0, 4));
}

}  // namespace
}  // namespace fer
