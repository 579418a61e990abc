#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/tensors.h"

namespace fer {
namespace {

using test::labelled;
using test::values;
using testing::ElementsAre;
using testing::FloatNear;

TEST(AdaCm, MovesOnceAnEpochByTheRightlyPredicted) {
  const auto policy = make_threshold_policy("ada-cm", 3, 1);
  EXPECT_TRUE(policy->uses_labelled());
  // Class 0 right with 0.9 and 0.95, class 1 wrong, class 2 not shown.
  policy->update_and_label(
      labelled(torch::tensor({{0.9, 0.1, 0.0}, {0.8, 0.1, 0.1}}), torch::tensor({0, 1})));
  policy->update_and_label(labelled(torch::tensor({{0.95, 0.05, 0.0}}), torch::tensor({0})));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(0.8f, 0.8f, 0.8f));
  // 0.97 · 0.925 / (1 + e^-3).
  policy->update_and_label(
      labelled(torch::tensor({{0.005, 0.99, 0.005}}), torch::tensor({1}), 0, /*epoch=*/3));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(FloatNear(0.854697f, 1e-5), 0.8f, 0.8f));
  policy->update_and_label(
      labelled(torch::tensor({{0.5, 0.3, 0.2}}), torch::tensor({0}), 0, /*epoch=*/3));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(FloatNear(0.854697f, 1e-5), 0.8f, 0.8f));
  // Class 0: 0.97 · 0.5, below the least; class 1: 0.97 · 0.99 / (1 + e^-10).
  policy->update_and_label(
      labelled(torch::empty({0, 3}), torch::empty({0}, torch::kLong), 0, /*epoch=*/10));
  EXPECT_THAT(values(policy->thresholds()), ElementsAre(0.8f, FloatNear(0.960256f, 1e-5), 0.8f));
}

TEST(AdaCm, JudgesByTheThresholdOfTheLabel) {
  const auto policy = make_threshold_policy("ada-cm:t-min=0.6", 2, 1);
  PolicyInput step = labelled(torch::tensor({{0.9, 0.1}}), torch::tensor({0}));
  policy->update_and_label(step);
  step.epoch = 20;
  step.unlabelled = torch::tensor({{0.86, 0.14}, {0.88, 0.12}, {0.39, 0.61}});
  // 0.97 · 0.9 = 0.873 for class 0, 0.6 for class 1.
  EXPECT_THAT(values(policy->update_and_label(step).weights), ElementsAre(0, 1, 1));
}

}  // namespace
}  // namespace fer
