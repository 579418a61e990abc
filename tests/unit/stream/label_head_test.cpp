#include "stream/label_head.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace fer {
namespace {

const std::vector<float> kPrior{0.8f, 0.2f};

LinearHead base() {
  return {torch::zeros({2, 3}), torch::tensor(kPrior).log()};
}

/// `n` faces a class, told apart by the first feature; the others are noise.
LabelledFeatures rows(int n, double distance = 2) {
  torch::manual_seed(3);
  LabelledFeatures made{torch::randn({2 * n, 3}), torch::arange(2 * n) % 2};
  made.features.select(1, 0).add_((made.labels * 2 - 1) * distance);
  return made;
}

double right(const LinearHead& head, const LabelledFeatures& rows) {
  return (head.logits(rows.features).argmax(1) == rows.labels)
      .to(torch::kFloat)
      .mean()
      .item<double>();
}

TEST(LabelHead, LearnsWhatTheLabelsSay) {
  const LinearHead head = fit_label_head(base(), kPrior, rows(10), 0.03);
  EXPECT_EQ(right(base(), rows(100)), 0.5) << "the base knows the common class alone";
  EXPECT_GT(right(head, rows(100)), 0.9);
}

TEST(LabelHead, StaysAtTheBaseWhereThePenaltyIsStrong) {
  const LinearHead head = fit_label_head(base(), kPrior, rows(10), 1e6);
  EXPECT_LT((head.weight - base().weight).abs().max().item<double>(), 1e-4);
  EXPECT_LT((head.bias - base().bias).abs().max().item<double>(), 1e-4);
}

/// Labels are drawn class by class, while the stream has its own mix: the head keeps the prior.
TEST(LabelHead, KeepsThePriorOfTheBase) {
  // Features that say nothing: nothing can be learnt, however uneven the labels are.
  const LabelledFeatures blind{torch::zeros({30, 3}), (torch::arange(30) >= 25).to(torch::kLong)};
  const LinearHead head = fit_label_head(base(), kPrior, blind, 0.01);
  EXPECT_NEAR(torch::softmax(head.bias, 0)[0].item<double>(), 0.8, 0.01);
}

TEST(LabelHead, ChoosesAWeakPenaltyWhereLabelsAreSure) {
  const auto clear = choose_strength(base(), kPrior, rows(20, 3), 1);
  ASSERT_TRUE(clear);
  EXPECT_EQ(clear->folds, 5);
  EXPECT_TRUE(clear->improves());
  EXPECT_LE(clear->strength, 1);
  // Labels that follow nothing are not learnt by heart.
  LabelledFeatures luck = rows(20, 0);
  const auto noise = choose_strength(base(), kPrior, luck, 1);
  ASSERT_TRUE(noise);
  EXPECT_GT(noise->strength, clear->strength);
}

TEST(LabelHead, HoldsOutWhatItJudgesBy) {
  // As many features as faces: each face can be learnt by heart, and none foretells another.
  torch::manual_seed(5);
  const LabelledFeatures all{torch::randn({20, 200}), torch::arange(20) % 2};
  const LinearHead wide{torch::zeros({2, 200}), torch::zeros({2})};
  const LinearHead by_heart = fit_label_head(wide, {0.5f, 0.5f}, all, 0.3);
  EXPECT_EQ(right(by_heart, all), 1);
  const auto fit = choose_strength(wide, {0.5f, 0.5f}, all, 1);
  ASSERT_TRUE(fit);
  EXPECT_GT(fit->loss, 0.6) << "held-out faces are guessed";
}

TEST(LabelHead, NeedsTwoFacesOfTwoClasses) {
  EXPECT_FALSE(choose_strength(base(), kPrior, rows(1), 1));
  EXPECT_TRUE(choose_strength(base(), kPrior, rows(2), 1));
}

}  // namespace
}  // namespace fer
