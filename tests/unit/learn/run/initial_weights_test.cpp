#include "learn/run/initial_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "error_of.h"
#include "learn/data/batches.h"
#include "learn/run/model_network.h"
#include "network/model_file.h"
#include "network/network.h"
#include "scoped.h"
#include "unit/model/model_support.h"

namespace fer {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A file of the tiny network, and another network of that kind.
class InitialWeightsTest : public testing::Test {
 protected:
  InitialWeightsTest() {
    version_ = model_.write(path_);
    torch::manual_seed(5);
    network_ = Network(test::tiny_config());
    head_ = network_->head->weight.detach().clone();
  }

  bool has_the_files_stem() const {
    return torch::equal(network_->stem->weight, model_.file().weights.at("stem.weight")) &&
           torch::equal(network_->stem_bn->running_var,
                        model_.file().weights.at("stem_bn.running_var"));
  }

  const test::ScopedFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "start.fer";
  mutable test::RandomModel model_{test::tiny_config(), 2};
  std::string version_;
  Network network_{nullptr};
  torch::Tensor head_;
};

TEST_F(InitialWeightsTest, GivesEveryWeightWhereLabelsAgree) {
  const InitialWeights start(path_);
  EXPECT_TRUE(start);
  EXPECT_EQ(start.version(), version_);
  EXPECT_EQ(start.stats().mean, model_.info().mean);
  EXPECT_EQ(start.stats().stddev, model_.info().stddev);
  std::filesystem::remove(path_);  // read once
  start.copy_to(*network_, model_.info().labels);
  EXPECT_TRUE(has_the_files_stem());
  EXPECT_TRUE(torch::equal(network_->head->weight, model_.file().weights.at("head.weight")));
}

TEST_F(InitialWeightsTest, IgnoresTheCalibrationOfTheFile) {
  const torch::Tensor head = model_.file().weights.at("head.weight").clone();
  model_.info().calibration.temperature = 3;
  model_.write(path_);
  InitialWeights(path_).copy_to(*network_, model_.info().labels);
  EXPECT_TRUE(torch::equal(network_->head->weight, head));
}

TEST_F(InitialWeightsTest, TeachesWithTheCalibrationInTheHead) {
  model_.info().calibration = {4, std::vector<float>(8, 0.5f)};
  const Network teacher = network_of(model_.file(), "a teacher");
  const auto& weights = model_.file().weights;
  EXPECT_TRUE(torch::allclose(teacher->head->weight, weights.at("head.weight") / 4));
  EXPECT_TRUE(torch::allclose(teacher->head->bias, weights.at("head.bias") / 4 + 0.5));
  EXPECT_TRUE(torch::equal(teacher->stem->weight, weights.at("stem.weight")));
}

TEST_F(InitialWeightsTest, LeavesTheHeadOutWhereLabelsDiffer) {
  auto labels = model_.info().labels;
  std::swap(labels[0], labels[1]);
  InitialWeights(path_).copy_to(*network_, labels);
  EXPECT_TRUE(has_the_files_stem());
  EXPECT_TRUE(torch::equal(network_->head->weight, head_));

  NetworkConfig more = test::tiny_config();
  more.classes += 2;
  more.dropout = 0.1;
  labels.insert(labels.end(), {"contempt", "awe"});
  network_ = Network(more);
  InitialWeights(path_).copy_to(*network_, labels);
  EXPECT_TRUE(has_the_files_stem());
}

TEST_F(InitialWeightsTest, LeavesTheAttentionOutWhereTheNetworkHasNone) {
  NetworkConfig plain = test::tiny_config();
  ASSERT_GT(plain.attention_branches, 0);
  plain.attention_branches = 0;
  network_ = Network(plain);
  InitialWeights(path_).copy_to(*network_, model_.info().labels);
  EXPECT_TRUE(has_the_files_stem());
}

TEST_F(InitialWeightsTest, NeedsNoHead) {
  ModelFile file = model_.file();
  file.info.labels.clear();
  file.info.prior.clear();
  file.weights.erase("head.weight");
  file.weights.erase("head.bias");
  write_model(path_, file);
  InitialWeights(path_).copy_to(*network_, model_.info().labels);
  EXPECT_TRUE(has_the_files_stem());
  EXPECT_TRUE(torch::equal(network_->head->weight, head_));
}

TEST_F(InitialWeightsTest, NamesWhatDiffersInAnotherNetwork) {
  NetworkConfig other = test::tiny_config();
  other.stem_width += 1;
  other.attention_branches += 1;
  Network network(other);
  EXPECT_THAT(error_of([&] { InitialWeights(path_).copy_to(*network, model_.info().labels); }),
              AllOf(HasSubstr("start.fer"), HasSubstr("stem_width"),
                    HasSubstr("attention_branches"), Not(HasSubstr("depths"))));
  EXPECT_THAT(error_of([&] { InitialWeights(folder_.path() / "none.fer"); }),
              HasSubstr("none.fer"));
}

TEST(InitialWeights, IsByChanceWithoutAFile) {
  EXPECT_FALSE(InitialWeights());
}

}  // namespace
}  // namespace fer
