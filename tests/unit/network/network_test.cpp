#include "network/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "model/network_layout.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

using test::tiny_config;
using testing::HasSubstr;

torch::Tensor images(const NetworkConfig& config, std::int64_t n) {
  return torch::randn({n, config.channels, config.input_size, config.input_size});
}

class Presets : public testing::TestWithParam<const char*> {
 protected:
  const NetworkConfig config_ = network_preset(GetParam());
};

INSTANTIATE_TEST_SUITE_P(All, Presets,
                         testing::Values("fernet", "fernet-small", "fernet-large", "resnet18",
                                         "facenet"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(Presets, GiveOneRowOfLogitsAFace) {
  const torch::NoGradGuard no_grad;
  Network network(config_);
  network->eval();
  const torch::Tensor logits = network->forward(images(config_, 2));
  EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, config_.classes}));
  EXPECT_EQ(logits.scalar_type(), torch::kFloat32);
  EXPECT_TRUE(logits.isfinite().all().item<bool>());
}

TEST_P(Presets, RunInTwoHalvesAsInOne) {
  const torch::NoGradGuard no_grad;
  Network network(config_);
  network->eval();
  const torch::Tensor x = images(config_, 2);
  const torch::Tensor whole = network->forward(x);
  for (std::size_t cut = 0; cut <= network->blocks.size(); ++cut) {
    const torch::Tensor middle = network->trunk(x, cut);
    EXPECT_GE(middle.min().item<float>(), 0);
    EXPECT_TRUE(torch::equal(network->head_blocks(middle, cut), whole)) << cut;
  }
}

TEST_P(Presets, NameWhatLiesBelowACut) {
  Network network(config_);
  for (std::size_t cut : {std::size_t{0}, std::size_t{1}, network->blocks.size()}) {
    torch::Tensor x = images(config_, 1);
    network->eval();
    // Not zero_grad(): gradients of nought are gradients.
    for (torch::Tensor& parameter : network->parameters()) parameter.mutable_grad().reset();
    const torch::Tensor middle = network->trunk(x, cut).detach();
    network->head_blocks(middle, cut).sum().backward();
    for (const auto& item : network->named_parameters()) {
      const bool below = network->is_in_trunk(item.key(), cut);
      EXPECT_EQ(item.value().grad().defined(), !below) << item.key() << ' ' << cut;
    }
  }
}

TEST_P(Presets, SurviveJson) {
  EXPECT_EQ(config_.name, GetParam());
  const nlohmann::json json = config_;
  EXPECT_EQ(nlohmann::json(json.get<NetworkConfig>()), json);
}

TEST_P(Presets, HaveTheLayoutThatTheLayoutSays) {
  Network network(config_);
  std::map<std::string, std::vector<std::int64_t>> built;
  for (const auto& item : network->named_parameters()) {
    built[item.key()] = item.value().sizes().vec();
  }
  for (const auto& item : network->named_buffers()) {
    if (item.value().is_floating_point()) built[item.key()] = item.value().sizes().vec();
  }
  EXPECT_EQ(network_layout(config_), built);
}

TEST(Network, CountsItsMultiplications) {
  NetworkConfig config = tiny_config();
  // 24x24 after the stem and in stage 0, 12x12 in stage 1; a kernel's weights times its outputs.
  const std::int64_t stem = 8 * 9 * 24 * 24;
  const std::int64_t stage0 = 4 * 8 * 8 * 9 * 24 * 24;
  const std::int64_t stage1 = (16 * 8 * 9 + 16 * 16 * 9 + 16 * 8) * 12 * 12;
  const std::int64_t attention = (16 * 2 * 4 + 2 * 4) * 12 * 12;
  EXPECT_EQ(Network(config)->macs(), stem + stage0 + stage1 + attention + 16 * 8);
  // What few-label experiments on two cores can afford.
  EXPECT_NEAR(static_cast<double>(Network(network_preset("fernet-small"))->macs()), 10e6, 0.5e6);
  // resnet18 at its usual size has 1.8 G (He et al. 2016), with a head of 1000 classes and RGB.
  config = network_preset("resnet18");
  config.input_size = 224;
  config.channels = 3;
  config.classes = 1000;
  EXPECT_NEAR(static_cast<double>(Network(config)->macs()), 1.814e9, 0.01e9);
}

TEST(Network, LearnsThroughAllItsParameters) {
  Network network(tiny_config());
  network->train();
  network->forward(images(tiny_config(), 4)).pow(2).sum().backward();
  for (const auto& item : network->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().max().item<double>(), 0) << item.key();
  }
}

TEST(Network, DrawsForTheWholeBatchThatItSeesAShareOf) {
  NetworkConfig config = tiny_config();
  config.dropout = 0.5;
  config.drop_feature = 0.3;
  config.drop_branch = 0.5;
  Network network(config);
  network->train();
  // What batch norm needs of the other rows has tests of its own.
  for (auto& module : network->modules())
    if (module->as<torch::nn::BatchNorm2d>()) module->eval();
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = images(config, 6);
  torch::manual_seed(3);
  const torch::Tensor whole = network->forward(x);
  EXPECT_FALSE(torch::equal(whole, network->forward(x)));
  for (const auto& rows : {std::vector<std::int64_t>{0, 1, 4}, {2, 3, 5}}) {
    auto shard = c10::make_intrusive<BatchShard>();
    shard->size = 6;
    shard->rows = torch::tensor(rows);
    network->enable_sync_bn(shard);
    torch::manual_seed(3);
    const torch::Tensor part = network->forward(x.index_select(0, shard->rows));
    EXPECT_TRUE(part.allclose(whole.index_select(0, shard->rows), 1e-5, 1e-6));
  }
}

/// The attention with everything in it known: branch b's map is sigmoid(score of b) everywhere.
LocalAttention attention_with_scores(const std::vector<double>& scores, double drop) {
  const torch::NoGradGuard no_grad;
  LocalAttention attention(4, static_cast<int>(scores.size()), 2, drop);
  for (auto& parameter : attention->parameters()) parameter.zero_();
  for (std::size_t b = 0; b < scores.size(); ++b) {
    attention->score->bias[static_cast<std::int64_t>(b)] = scores[b];
  }
  return attention;
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

TEST(LocalAttention, ScalesByTheLargestMap) {
  const torch::NoGradGuard no_grad;
  LocalAttention attention = attention_with_scores({-1, 2, 0.5}, 0.9);
  attention->eval();
  const torch::Tensor x = torch::rand({3, 4, 5, 5});
  EXPECT_TRUE(attention->forward(x).allclose(x * sigmoid(2)));
}

TEST(LocalAttention, LooksAtEachPlaceByItself) {
  const torch::NoGradGuard no_grad;
  LocalAttention attention(4, 2, 2, 0);
  attention->eval();
  const torch::Tensor x = torch::rand({1, 4, 5, 5});
  torch::Tensor changed = x.clone();
  changed.index_put_({0, torch::indexing::Slice(), 2, 3}, 9.f);
  const torch::Tensor different =
      (attention->forward(x) - attention->forward(changed)).abs().amax(1)[0] > 0;
  EXPECT_EQ(different.sum().item<int>(), 1);
  EXPECT_TRUE(different[2][3].item<bool>());
}

TEST(LocalAttention, DropsABranchInTrainingOnly) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  // Only the first branch matters while it is there; when it falls, the second one's map is left.
  LocalAttention attention = attention_with_scores({3, -3}, 0.5);
  const torch::Tensor x = torch::ones({2000, 4, 1, 1});
  const auto fallen = [&] {
    const torch::Tensor y = attention->forward(x).flatten(1).select(1, 0);
    const torch::Tensor low = (y - sigmoid(-3)).abs() < 1e-4;
    const torch::Tensor high = (y - sigmoid(3)).abs() < 1e-4;
    EXPECT_EQ((low | high).sum().item<int>(), 2000);
    return low.sum().item<int>();
  };
  attention->eval();
  EXPECT_EQ(fallen(), 0);
  attention->train();
  // One of the two falls in half of the samples: the first in a quarter.
  EXPECT_NEAR(fallen(), 500, 80);
}

TEST(LocalAttention, NeverDropsItsOnlyBranch) {
  const torch::NoGradGuard no_grad;
  LocalAttention attention = attention_with_scores({3}, 0.9);
  attention->train();
  const torch::Tensor x = torch::ones({100, 4, 1, 1});
  EXPECT_TRUE(attention->forward(x).allclose(x * sigmoid(3)));
}

TEST(NetworkConfig, IsChecked) {
  const auto refusal = [](auto&& change) -> std::string {
    NetworkConfig config = tiny_config();
    change(config);
    try {
      config.check();
      return {};
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(refusal([](NetworkConfig&) {}), "");
  using C = NetworkConfig;
  EXPECT_THAT(refusal([](C& c) { c.input_size = 8; }), HasSubstr("input_size"));
  EXPECT_THAT(refusal([](C& c) { c.input_size = 1000; }), HasSubstr("input_size"));
  EXPECT_THAT(refusal([](C& c) { c.channels = 2; }), HasSubstr("channels"));
  EXPECT_THAT(refusal([](C& c) { c.stem_width = 0; }), HasSubstr("stem_width"));
  EXPECT_THAT(refusal([](C& c) { c.stem_kernel = 4; }), HasSubstr("stem_kernel"));
  EXPECT_THAT(refusal([](C& c) { c.stem_stride = 0; }), HasSubstr("stem_stride"));
  EXPECT_THAT(refusal([](C& c) { c.widths.clear(); }), HasSubstr("widths"));
  EXPECT_THAT(refusal([](C& c) { c.widths[1] = -1; }), HasSubstr("widths"));
  EXPECT_THAT(refusal([](C& c) { c.depths = {1}; }), HasSubstr("depths"));
  EXPECT_THAT(refusal([](C& c) { c.depths[0] = 0; }), HasSubstr("depths"));
  EXPECT_THAT(refusal([](C& c) { c.strides[0] = 0; }), HasSubstr("strides"));
  EXPECT_THAT(refusal([](C& c) { c.strides[1] = 5; }), HasSubstr("strides"));
  EXPECT_THAT(refusal([](C& c) { c.attention_branches = -1; }), HasSubstr("attention_branches"));
  EXPECT_THAT(refusal([](C& c) { c.attention_reduction = 17; }), HasSubstr("attention_reduction"));
  EXPECT_THAT(refusal([](C& c) { c.drop_branch = 1; }), HasSubstr("drop_branch"));
  EXPECT_THAT(refusal([](C& c) { c.dropout = std::nan(""); }), HasSubstr("dropout"));
  EXPECT_THAT(refusal([](C& c) { c.classes = 1; }), HasSubstr("classes"));
  EXPECT_THAT(refusal([](C& c) {
                c.input_size = 512;
                c.stem_width = 1024;
              }),
              HasSubstr("feature maps"));
}

NetworkConfig pooling_config() {
  NetworkConfig config = tiny_config(24);
  config.stem_kernel = 5;
  config.stem_pool = true;
  config.strides = {1, 2};
  config.downsampling = Downsampling::kPooling;
  return config;
}

TEST(NetworkConfig, WithPoolingRefusesWhatItsShortcutsCannotDo) {
  const auto refusal = [](auto change) -> std::string {
    NetworkConfig config = pooling_config();
    change(config);
    try {
      config.check();
      return {};
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  using C = NetworkConfig;
  EXPECT_EQ(refusal([](C&) {}), "");
  EXPECT_THAT(refusal([](C& c) { c.strides[1] = 3; }), HasSubstr("strides must be 1 or 2"));
  EXPECT_THAT(refusal([](C& c) { c.widths[0] = 16; }), HasSubstr("widths may only grow"));
  EXPECT_THAT(refusal([](C& c) { c.widths[1] = 4; }), HasSubstr("widths may only grow"));
  EXPECT_THAT(refusal([](C& c) {
                c.input_size = 16;
                c.strides = {2, 2};
              }),
              HasSubstr("nothing is left"));
}

TEST(NetworkConfig, FollowsTheSidesOfUnpaddedMaps) {
  const MapSides sides = map_sides(network_preset("facenet"));
  EXPECT_EQ(sides.stem, 44);
  EXPECT_EQ(sides.pooled, 21);
  EXPECT_EQ(sides.stages, (std::vector<int>{21, 10, 5, 2}));
}

TEST(NetworkConfig, RefusesAWordThatNamesNoDownsampling) {
  nlohmann::json json = pooling_config();
  EXPECT_EQ(json.at("downsampling"), "pooling");
  json["downsampling"] = "striding";
  EXPECT_THROW(json.get<NetworkConfig>(), std::runtime_error);
  json.erase("downsampling");  // As in older files.
  EXPECT_EQ(json.get<NetworkConfig>().downsampling, Downsampling::kProjection);
}

TEST(PoolingShortcut, AddsZerosWhereItsBlockHasNeitherChannelsNorPixels) {
  const torch::NoGradGuard no_grad;
  ResidualBlock block(1, 2, 2, Downsampling::kPooling);
  block->eval();
  for (const auto& parameter : block->parameters()) parameter.zero_();
  block->bn2->bias.fill_(3);  // All that the convolutions make is 3.
  const torch::Tensor x = torch::arange(16, torch::kFloat).view({1, 1, 4, 4});
  // The convolutions make one pixel of 4 x 4, the pool makes four: means of 0 1 4 5, 2 3 6 7 …
  const torch::Tensor expected =
      torch::tensor({2.5f + 3, 4.5f, 10.5f, 12.5f, 3.f, 0.f, 0.f, 0.f}).view({1, 2, 2, 2});
  EXPECT_TRUE(torch::equal(block(x), expected)) << block(x);
}

TEST(PoolingShortcut, LetsGradientsThroughToBorderPixels) {
  ResidualBlock block(1, 2, 2, Downsampling::kPooling);
  torch::Tensor x = torch::ones({2, 1, 4, 4}).requires_grad_();
  block(x).sum().backward();
  EXPECT_GE(x.grad()[0][0][3][3].item<float>(), 0.25f);
}

TEST(Network, CountsStagesBelowTheHead) {
  const Network network(tiny_config());
  EXPECT_EQ(network->depth_below_head("head.weight"), 0u);
  EXPECT_EQ(network->depth_below_head("attention.score.bias"), 0u);
  EXPECT_EQ(network->depth_below_head("stage1_0.conv1.weight"), 1u);
  EXPECT_EQ(network->depth_below_head("stage0_1.bn2.bias"), 2u);
  EXPECT_EQ(network->depth_below_head("stem_bn.weight"), 3u);
}

TEST(NetworkConfig, OfAnUnknownNameSaysWhichThereAre) {
  try {
    network_preset("vgg");
    FAIL() << "there is no such preset";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"vgg\""));
    EXPECT_THAT(error.what(), HasSubstr("fernet"));
  }
}

TEST(NetworkConfig, NeedsAllItsFields) {
  nlohmann::json json = tiny_config();
  json.erase("widths");
  EXPECT_THROW(json.get<NetworkConfig>(), nlohmann::json::exception);
  json["widths"] = "wide";
  EXPECT_THROW(json.get<NetworkConfig>(), nlohmann::json::exception);
}

}  // namespace
}  // namespace fer
