#include "model/restore_batch_norm.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/network.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

class RestoredNetwork : public testing::TestWithParam<const char*> {
 protected:
  RestoredNetwork() : config_(network_preset(GetParam())), network_(config_) {
    const torch::NoGradGuard no_grad;
    // As published: a scale and a shift that have little to do with what reaches them.
    for (const auto& item : network_->named_parameters()) {
      if (item.key().find("bn") == std::string::npos) continue;
      item.value().uniform_(0.3, 0.7);
    }
    network_->eval();
  }

  const torch::Tensor images_ = torch::randn({8, 1, 48, 48}) + 0.5;
  NetworkConfig config_;
  Network network_;
};

INSTANTIATE_TEST_SUITE_P(All, RestoredNetwork, testing::Values("fernet", "facenet"));

TEST_P(RestoredNetwork, ComputesWhatItComputedBefore) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor before = network_->features(images_);
  restore_batch_norm(*network_, images_);
  EXPECT_FALSE(network_->is_training());
  const torch::Tensor after = network_->features(images_);
  EXPECT_LT((after - before).abs().max().item<float>(), 1e-3 * before.abs().max().item<float>());
}

TEST_P(RestoredNetwork, ComputesTheSameWithTheStatisticsOfTheBatch) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor before = network_->features(images_);
  restore_batch_norm(*network_, images_);
  network_->train();
  // The random silence of branches and maps is no part of this.
  if (!network_->attention.is_empty()) network_->attention->eval();
  const torch::Tensor after = network_->features(images_);
  // Batches are normalised by n, running statistics hold the estimate by n - 1.
  EXPECT_LT((after - before).abs().max().item<float>(), 0.05 * before.abs().max().item<float>());
}

}  // namespace
}  // namespace fer
