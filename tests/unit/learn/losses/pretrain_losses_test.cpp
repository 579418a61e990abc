#include "learn/losses/pretrain_losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace fer {
namespace {

// Lengths do not count: cosines of the rows with each other are 0.6 and 1, 0 and 0.8.
torch::Tensor predictions() {
  return torch::tensor({{2.0, 0.0}, {0.0, 5.0}});
}
torch::Tensor targets() {
  return torch::tensor({{3.0, 4.0}, {3.0, 0.0}});
}

TEST(RegressionLoss, IsTwoMinusTwiceTheCosine) {
  // The rows' cosines with their own targets: 0.6 and 0.
  EXPECT_NEAR(regression_loss(predictions(), targets()).item<double>(), 2 - (0.6 + 0), 1e-6);
  EXPECT_NEAR(regression_loss(targets(), 7 * targets()).item<double>(), 0, 1e-6);
}

TEST(ContrastLoss, IsTheCrossEntropyOfFindingOnesOwn) {
  // The first row's cosines with the targets: 0.6 (its own) and 1; the second's: 0.8 and 0 (its
  // own). At temperature 0.5 the logits are twice that.
  const double first = -1.2 + std::log(std::exp(1.2) + std::exp(2.0));
  const double second = -0.0 + std::log(std::exp(1.6) + std::exp(0.0));
  EXPECT_NEAR(contrast_loss(predictions(), targets(), 0.5).item<double>(),
              2 * 0.5 * (first + second) / 2, 1e-6);
  const torch::Tensor far = torch::tensor({{1.0, 0.0}, {-1.0, 0.0}});
  EXPECT_NEAR(contrast_loss(far, far, 0.05).item<double>(), 0, 1e-6);
}

TEST(PretrainLosses, LetNoGradientIntoTheTargets) {
  for (const bool contrast : {false, true}) {
    const torch::Tensor p = predictions().requires_grad_(), t = targets().requires_grad_();
    (contrast ? contrast_loss(p, t, 0.2) : regression_loss(p, t)).backward();
    EXPECT_GT(p.grad().abs().sum().item<double>(), 0);
    EXPECT_FALSE(t.grad().defined());
  }
}

TEST(RegressionLoss, HasTheGradientWorkedOutByHand) {
  // d(−cos)/dp for p = (2, 0), t = (0.6, 0.8): −(t − cos · p̂)/|p| = −(0, 0.8)/2; times 2/N = 1.
  const torch::Tensor p = predictions().requires_grad_();
  regression_loss(p, targets()).backward();
  EXPECT_NEAR(p.grad()[0][0].item<double>(), 0, 1e-6);
  EXPECT_NEAR(p.grad()[0][1].item<double>(), -0.4, 1e-6);
}

TEST(Spread, IsOneWhereEmbeddingsPointEverywhereAndZeroWhereAllAreOne) {
  // Each of two dimensions is ±1 half of the time and 0 else: a deviation of √½, times √2.
  const torch::Tensor even = torch::tensor({{1.0, 0.0}, {-1.0, 0.0}, {0.0, 3.0}, {0.0, -3.0}});
  EXPECT_NEAR(spread(even).item<double>(), 1, 1e-6);
  EXPECT_NEAR(filled_dimensions(even).item<double>(), 2, 1e-5);
  const torch::Tensor line = torch::tensor({{1.0, 0.0}, {-1.0, 0.0}});
  EXPECT_NEAR(spread(line).item<double>(), std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(filled_dimensions(line).item<double>(), 1, 1e-5);
  // Lengths do not count: all of these are one.
  const torch::Tensor one = torch::tensor({{1.0, 2.0}, {2.0, 4.0}, {0.5, 1.0}});
  EXPECT_NEAR(spread(one).item<double>(), 0, 1e-4);
  EXPECT_NEAR(filled_dimensions(one).item<double>(), 0, 1e-4);
}

}  // namespace
}  // namespace fer
