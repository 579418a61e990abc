#include "learn/losses/losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "unit/learn/tensors.h"

namespace fer {
namespace {

using test::values;

/// Logits of these probabilities.
torch::Tensor logits(const torch::Tensor& probabilities) {
  return torch::log(probabilities) + 3;
}

TEST(SoftCrossEntropy, IsTheMeanOverRows) {
  const torch::Tensor p = logits(torch::tensor({{0.5, 0.25, 0.25}, {0.1, 0.8, 0.1}}));
  const torch::Tensor targets = torch::tensor({{1.0, 0.0, 0.0}, {0.5, 0.5, 0.0}});
  const double expected = (-std::log(0.5) - 0.5 * std::log(0.1) - 0.5 * std::log(0.8)) / 2;
  EXPECT_NEAR(soft_cross_entropy(p, targets).item<double>(), expected, 1e-6);
}

TEST(WeightedCrossEntropy, CountsRowsOfNoWeightInTheMean) {
  const torch::Tensor p =
      logits(torch::tensor({{0.5, 0.25, 0.25}, {0.1, 0.8, 0.1}, {0.2, 0.2, 0.6}}));
  const torch::Tensor loss =
      weighted_cross_entropy(p, torch::tensor({0, 1, 0}), torch::tensor({1.0, 0.5, 0.0}));
  EXPECT_NEAR(loss.item<double>(), (-std::log(0.5) - 0.5 * std::log(0.8)) / 3, 1e-6);
}

TEST(NegativeLoss, IsTheMeanOfEachRowsNegatives) {
  const torch::Tensor p =
      logits(torch::tensor({{0.5, 0.25, 0.25}, {0.1, 0.8, 0.1}, {0.2, 0.2, 0.6}}));
  const torch::Tensor negatives =
      torch::tensor({{false, true, true}, {false, false, false}, {true, false, false}});
  EXPECT_NEAR(negative_loss(p, negatives).item<double>(), (-std::log(0.75) - std::log(0.8)) / 3,
              1e-6);
}

TEST(NegativeLoss, StaysFiniteHoweverLargeTheLogits) {
  torch::Tensor z = torch::tensor({{1000.0, 0.0, -1000.0}, {0.0, 5e4, -5e4}}).requires_grad_();
  const torch::Tensor negatives = torch::tensor({{true, false, true}, {false, false, true}});
  const torch::Tensor loss = negative_loss(z, negatives);
  // The first row's 1 − p is e^-1000 for class 0 and 1 for class 2; the second row's is 1.
  EXPECT_NEAR(loss.item<double>(), 1000.0 / 2 / 2, 1e-3);
  loss.backward();
  EXPECT_TRUE(torch::isfinite(z.grad()).all().item<bool>());
  // Down for the class that it is not, up for the next.
  EXPECT_NEAR(z.grad()[0][0].item<double>(), 0.25, 1e-6);
  EXPECT_NEAR(z.grad()[0][1].item<double>(), -0.25, 1e-6);
}

TEST(NegativeLoss, HasTheGradientThatIsWorkedOutByHand) {
  // d/dz_k of −log(1 − p_k) is p_k; d/dz_j is −p_j p_k / (1 − p_k).
  torch::Tensor z = logits(torch::tensor({{0.5, 0.3, 0.2}})).requires_grad_();
  negative_loss(z, torch::tensor({{true, false, false}})).backward();
  EXPECT_THAT(values(z.grad()),
              testing::ElementsAre(testing::FloatNear(0.5f, 1e-6), testing::FloatNear(-0.3f, 1e-6),
                                   testing::FloatNear(-0.2f, 1e-6)));
}

}  // namespace
}  // namespace fer
