#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/learn/tensors.h"

namespace fer {
namespace {

using test::unlabelled;
using test::values;
using testing::ElementsAre;
using testing::FloatNear;

TEST(Soft, WeighsRowsBelowTheMeanByAGaussian) {
  const auto policy = make_threshold_policy("soft:momentum=0.5", 2, 1);
  // Mean 0.8, variance 0.02: μ = 0.65, σ² = 0.51; both rows lie above.
  EXPECT_THAT(
      values(policy->update_and_label(unlabelled(torch::tensor({{0.9, 0.1}, {0.3, 0.7}}))).weights),
      ElementsAre(1, 1));
  // Mean 0.7, variance 0.02: μ = 0.675, σ² = 0.265; exp(−0.075² / (2 · 0.265 / 4)) = 0.95844.
  const PseudoLabels judged =
      policy->update_and_label(unlabelled(torch::tensor({{0.6, 0.4}, {0.2, 0.8}})));
  EXPECT_THAT(values(judged.weights), ElementsAre(FloatNear(0.95844f, 1e-4), 1));
  // Weight 1/2 at 0.675 − sqrt(ln 2 · 2 · 0.265 / 4).
  EXPECT_THAT(values(policy->thresholds()),
              ElementsAre(FloatNear(0.37195f, 1e-4), FloatNear(0.37195f, 1e-4)));
}

TEST(Soft, LearnsNoSpreadFromASingleRow) {
  const auto policy = make_threshold_policy("soft:momentum=0.5", 2, 1);
  policy->update_and_label(unlabelled(torch::tensor({{0.9, 0.1}})));
  EXPECT_THAT(values(policy->state_dict().at("variance")), ElementsAre(1));
  EXPECT_THAT(values(policy->state_dict().at("mean")), ElementsAre(FloatNear(0.7f, 1e-6)));
}

TEST(Soft, StaysANumberWhereAllRowsAreEquallySure) {
  const auto policy = make_threshold_policy("soft:momentum=0", 2, 1);
  const PseudoLabels judged = policy->update_and_label(
      unlabelled(torch::tensor({{0.75, 0.25}, {0.25, 0.75}, {0.75, 0.25}})));
  EXPECT_THAT(values(judged.weights), ElementsAre(1, 1, 1));
}

}  // namespace
}  // namespace fer
