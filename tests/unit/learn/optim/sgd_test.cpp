#include "learn/optim/sgd.h"

#include <gtest/gtest.h>

#include <vector>

namespace fer {
namespace {

/// A kernel of two weights, a bias, and a parameter that nothing depends on.
struct TwoWeights : torch::nn::Module {
  TwoWeights() {
    weight = register_parameter("weight", torch::tensor({{1.f, -2.f}}));
    bias = register_parameter("bias", torch::tensor({0.5f}));
    idle = register_parameter("idle", torch::tensor({{3.f}}));
  }
  /// As backward() of a loss with these slopes would.
  void set_gradients() {
    weight.mutable_grad() = torch::tensor({{0.5f, 1.f}});
    bias.mutable_grad() = torch::tensor({2.f});
  }
  torch::Tensor weight, bias, idle;
};

void expect_near(const torch::Tensor& tensor, const std::vector<double>& expected) {
  const torch::Tensor flat = tensor.detach().flatten();
  ASSERT_EQ(flat.numel(), static_cast<std::int64_t>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(flat[static_cast<std::int64_t>(i)].item<double>(), expected[i], 1e-6) << i;
}

TEST(Sgd, TakesTheStepsThatOneWorksOutByHand) {
  TwoWeights module;
  Sgd sgd(module, /*momentum=*/0.9, /*weight_decay=*/0.1);
  module.set_gradients();
  sgd.step(0.1);
  // Kernel: g = (0.5, 1) + 0.1 w = (0.6, 0.8), v = g, w -= 0.1 (g + 0.9 v). The bias does not
  // decay.
  expect_near(module.weight, {0.886, -2.152});
  expect_near(module.bias, {0.12});
  expect_near(sgd.velocity["weight"], {0.6, 0.8});
  module.set_gradients();
  sgd.step(0.1);
  // g = (0.5886, 0.7848), v = 0.9 v + g = (1.1286, 1.5048).
  expect_near(sgd.velocity["weight"], {1.1286, 1.5048});
  expect_near(module.weight, {0.725566, -2.365912});
  expect_near(module.bias, {-0.422});
}

TEST(Sgd, ClearsGradientsAndLeavesIdleParametersAlone) {
  TwoWeights module;
  Sgd sgd(module, 0.9, 0.1);
  module.set_gradients();
  sgd.step(0.1);
  EXPECT_FALSE(module.weight.grad().defined());
  expect_near(module.idle, {3});
  const torch::Tensor before = module.weight.detach().clone();
  sgd.step(0.1);
  EXPECT_TRUE(torch::equal(module.weight.detach(), before));
}

TEST(Sgd, GoesOnFromAVelocityThatWasPutBack) {
  TwoWeights one, other;
  Sgd whole(one, 0.9, 0.1);
  Sgd first(other, 0.9, 0.1);
  for (Sgd* sgd : {&whole, &first}) {
    (sgd == &whole ? one : other).set_gradients();
    sgd->step(0.1);
  }
  Sgd second(other, 0.9, 0.1);
  for (auto& [name, tensor] : second.velocity) tensor.copy_(first.velocity.at(name));
  one.set_gradients();
  other.set_gradients();
  whole.step(0.05);
  second.step(0.05);
  EXPECT_TRUE(torch::equal(one.weight.detach(), other.weight.detach()));
}

}  // namespace
}  // namespace fer
