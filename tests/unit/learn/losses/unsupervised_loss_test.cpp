#include "learn/losses/unsupervised_loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "learn/device/compute_device.h"
#include "learn/losses/losses.h"
#include "unit/learn/tensors.h"

namespace fer {
namespace {

constexpr int kClasses = 5;

PolicyInput random_step(int n, int seed, const torch::Device& device = torch::kCPU) {
  torch::manual_seed(static_cast<std::uint64_t>(seed));
  PolicyInput step;
  step.unlabelled = torch::softmax(torch::randn({n, kClasses}) * 3, 1).to(device);
  step.labelled = torch::softmax(torch::randn({20, kClasses}) * 3, 1).to(device);
  step.labels = torch::randint(kClasses, {20}, torch::kLong).to(device);
  step.step = seed;
  return step;
}

/// What the policies select and the losses say, by autograd.
TEST(UnsupervisedLoss, IsThePoliciesAndTheLosses) {
  for (const std::string& threshold : threshold_policy_names()) {
    for (const std::string& negative : negative_policy_names()) {
      const auto thresholds = make_threshold_policy(threshold, kClasses, 100);
      const auto negatives = make_negative_policy(negative, kClasses);
      UnsupervisedLoss unlabelled(*thresholds, *negatives, kClasses, torch::kCPU);
      for (int i = 0; i < 3; ++i) {
        const PolicyInput step = random_step(40, i);
        torch::Tensor z = torch::log(step.unlabelled) + 0.5 * torch::randn({40, kClasses});
        z.requires_grad_();
        const UnsupervisedLosses learnt = unlabelled(step, z, 0.7, 0.3);

        const PseudoLabels pseudo = thresholds->update_and_label(step);
        EXPECT_TRUE(torch::equal(learnt.pseudo.labels, pseudo.labels));
        EXPECT_TRUE(torch::equal(learnt.pseudo.weights, pseudo.weights)) << threshold;
        const torch::Tensor chosen =
            negatives->select({step.unlabelled, torch::softmax(z.detach(), 1), pseudo.accepted()});
        ASSERT_TRUE(torch::equal(learnt.chosen, chosen)) << negative;
        const torch::Tensor u = weighted_cross_entropy(z, pseudo.labels, pseudo.weights);
        const torch::Tensor n = negative_loss(z, chosen);
        EXPECT_NEAR(learnt.losses[0].item<float>(), u.item<float>(), 1e-5);
        EXPECT_NEAR(learnt.losses[1].item<float>(), n.item<float>(), 1e-5);
        (0.7 * u + 0.3 * n).backward();
        EXPECT_TRUE(torch::allclose(learnt.gradient, z.grad(), 1e-4, 1e-6))
            << threshold << ", " << negative;
      }
      const kernels::ThresholdState numbers = unlabelled.state();
      for (int k = 0; k < kClasses; ++k)
        EXPECT_EQ(numbers.thresholds[k], thresholds->state().thresholds[k]) << threshold;
    }
  }
}

TEST(UnsupervisedLoss, LooksForNoNegativesWhereTheyCountNothing) {
  const auto thresholds = make_threshold_policy("fixed:tau=1", kClasses, 1);
  const auto negatives = make_negative_policy("argmin", kClasses);
  UnsupervisedLoss unlabelled(*thresholds, *negatives, kClasses, torch::kCPU);
  const UnsupervisedLosses learnt =
      unlabelled(random_step(8, 1), torch::randn({8, kClasses}), 1, 0);
  EXPECT_FALSE(learnt.chosen.any().item<bool>());
  EXPECT_EQ(learnt.losses[1].item<float>(), 0);
}

TEST(UnsupervisedLoss, IsTheSameOnADevice) {
  torch::Device device = torch::kCPU;
  try {
    device = compute_device("cuda", nullptr);
  } catch (const std::runtime_error& refused) {
    GTEST_SKIP() << refused.what();
  }
  const auto thresholds = make_threshold_policy("dta:t-min=0.3", kClasses, 1);
  const auto negatives = make_negative_policy("snl", kClasses);
  UnsupervisedLoss here(*thresholds, *negatives, kClasses, torch::kCPU);
  UnsupervisedLoss there(*thresholds, *negatives, kClasses, device);
  for (int i = 0; i < 5; ++i) {
    const torch::Tensor z = torch::randn({40, kClasses});
    const UnsupervisedLosses a = here(random_step(40, i), z, 1, 0.1);
    const UnsupervisedLosses b = there(random_step(40, i, device), z.to(device), 1, 0.1);
    EXPECT_TRUE(b.gradient.device().is_cuda());
    EXPECT_TRUE(torch::allclose(a.gradient, b.gradient.to(torch::kCPU), 1e-4, 1e-5));
    EXPECT_TRUE(torch::allclose(a.losses, b.losses.to(torch::kCPU), 1e-4, 1e-5));
  }
  for (int k = 0; k < kClasses; ++k)
    EXPECT_NEAR(here.state().thresholds[k], there.state().thresholds[k], 1e-5);
}

}  // namespace
}  // namespace fer
