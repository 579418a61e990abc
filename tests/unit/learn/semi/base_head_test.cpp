#include "learn/semi/base_head.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace fer {
namespace {

TEST(BaseHead, LeavesRareClassesAndThinsFrequentOnesOut) {
  torch::manual_seed(1);
  BaseHead head(4, 2, 0.9, 0, torch::kCPU);
  const torch::Tensor labels =
      torch::cat({torch::zeros({1000}), torch::ones({1000})}).to(torch::kLong);
  EXPECT_EQ(head.mask(labels).sum().item<float>(), 2000) << "nothing is known of the mix at first";
  // Towards a mix of 0.8 and 0.2: rows of the first class then stay with a probability of a
  // quarter.
  for (int i = 0; i < 20000; ++i) head.observe(torch::tensor({{0.8, 0.2}}));
  const torch::Tensor mask = head.mask(labels);
  EXPECT_EQ(mask.slice(0, 1000).sum().item<float>(), 1000);
  EXPECT_NEAR(mask.slice(0, 0, 1000).mean().item<float>(), 0.25, 0.05);
}

TEST(BaseHead, GoesOnFromItsState) {
  torch::manual_seed(2);
  const torch::Tensor x = torch::randn({8, 4});
  const auto learn = [&](BaseHead& head, int step) {
    torch::cross_entropy_loss(head.logits(x), torch::arange(8, torch::kLong).remainder(3))
        .backward();
    head.step(0.1, 0.9, step);
    head.observe(torch::softmax(head.teacher_logits(x), 1).detach());
  };
  BaseHead whole(4, 3, 0.9, 1e-4, torch::kCPU), second(4, 3, 0.9, 1e-4, torch::kCPU);
  learn(whole, 0);
  second.load_state_dict(whole.state_dict());
  learn(whole, 1);
  learn(second, 1);
  EXPECT_TRUE(torch::equal(whole.logits(x), second.logits(x)));
  EXPECT_TRUE(torch::equal(whole.teacher_logits(x), second.teacher_logits(x)));
  EXPECT_FALSE(torch::equal(whole.logits(x), whole.teacher_logits(x)));
}

}  // namespace
}  // namespace fer
