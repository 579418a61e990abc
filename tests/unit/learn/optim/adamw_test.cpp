#include "learn/optim/adamw.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace fer {
namespace {

/// The same loss and steps by LibTorch's own AdamW, which decays all parameters.
TEST(AdamW, StepsAsLibTorchsOwn) {
  torch::manual_seed(1);
  torch::nn::Linear ours(5, 3), theirs(5, 3);
  {
    torch::NoGradGuard no_grad;
    theirs->weight.copy_(ours->weight);
    theirs->bias.copy_(ours->bias);
  }
  AdamW optimiser(*ours, 0.1);
  // Biases do not decay with us.
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector{theirs->weight},
                      std::make_unique<torch::optim::AdamWOptions>(
                          torch::optim::AdamWOptions(0.01).weight_decay(0.1)));
  groups.emplace_back(std::vector{theirs->bias},
                      std::make_unique<torch::optim::AdamWOptions>(
                          torch::optim::AdamWOptions(0.01).weight_decay(0)));
  torch::optim::AdamW reference(groups);
  for (int i = 0; i < 20; ++i) {
    const torch::Tensor x = torch::randn({4, 5});
    (ours(x) - 1).pow(2).mean().backward();
    reference.zero_grad();
    (theirs(x) - 1).pow(2).mean().backward();
    optimiser.step(0.01);
    reference.step();
  }
  EXPECT_TRUE(torch::allclose(ours->weight, theirs->weight, 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(ours->bias, theirs->bias, 1e-5, 1e-6));
}

TEST(AdamW, ClearsGradientsAndKeepsItsStateByName) {
  torch::nn::Linear linear(2, 2);
  AdamW optimiser(*linear, 0);
  linear(torch::ones({1, 2})).sum().backward();
  optimiser.step(0.1);
  EXPECT_FALSE(linear->weight.grad().defined());
  EXPECT_EQ(optimiser.state.at("steps").item<double>(), 1);
  EXPECT_GT(optimiser.state.at("mean.weight").abs().sum().item<double>(), 0);
  EXPECT_GT(optimiser.state.at("square.bias").sum().item<double>(), 0);
}

}  // namespace
}  // namespace fer
