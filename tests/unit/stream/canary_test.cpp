#include "stream/canary.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

#include "learn/run/module_run.h"
#include "tiny_learner.h"

namespace fer {
namespace {

TEST(Judge, LetsServeWhatLostNoMoreThanTheMargin) {
  const auto verdict = [](double candidate, double serving, double source) {
    const auto recall = [](double value) { return CanaryScore{value, 0.8}; };
    const Verdict by_recall = judge(recall(candidate), recall(serving), recall(source),
                                    /*margin=*/0.01, /*rollback_margin=*/0.03);
    const auto accuracy = [](double value) { return CanaryScore{0.8, value}; };
    // Either counts.
    EXPECT_EQ(judge(accuracy(candidate), accuracy(serving), accuracy(source), 0.01, 0.03),
              by_recall);
    return by_recall;
  };
  EXPECT_EQ(verdict(0.60, 0.60, 0.60), Verdict::kPromote);
  EXPECT_EQ(verdict(0.595, 0.60, 0.60), Verdict::kPromote);
  EXPECT_EQ(verdict(0.58, 0.60, 0.60), Verdict::kKeep);
  EXPECT_EQ(verdict(0.56, 0.60, 0.60), Verdict::kRollBack);
  // Small losses do not add up: the source stays the measure …
  EXPECT_EQ(verdict(0.585, 0.592, 0.60), Verdict::kKeep);
  // … and what was gained counts too.
  EXPECT_EQ(verdict(0.60, 0.65, 0.60), Verdict::kRollBack);
  EXPECT_EQ(verdict(std::numeric_limits<double>::quiet_NaN(), 0.6, 0.6), Verdict::kRollBack);
}

class CanaryTest : public testing::Test {
 protected:
  CanaryTest()
      : model_(read_model(test::TinySource::get().model())),
        network_(model_.info.network),
        faces_(LabelledFaces::open(test::TinySource::get().packed(), "valid", model_, 1)) {
    copy_state(model_.weights, *network_, "test");
    network_->eval();
  }
  ModelFile model_;
  Network network_;
  std::unique_ptr<LabelledFaces> faces_;
};

TEST_F(CanaryTest, IsTheMacroRecallOfTheWholeNetwork) {
  const Canary canary(*faces_, network_, model_.info, 0, 1);
  EXPECT_EQ(canary.size(), 60);
  const CanaryScore score = canary.score(network_);
  EXPECT_GT(score.macro_recall, 0.85);
  EXPECT_GT(score.accuracy, 0.85);
  // A head that says one class whatever it sees.
  torch::NoGradGuard no_grad;
  network_->head->weight.zero_();
  network_->head->bias.copy_(torch::tensor({0.f, 5.f, 0.f}));
  EXPECT_NEAR(canary.score(network_).macro_recall, 1.0 / 3, 1e-9);
}

TEST_F(CanaryTest, CountsACommonClassForMoreInItsAccuracy) {
  model_.info.prior = {0.7f, 0.2f, 0.1f};
  const Canary canary(*faces_, network_, model_.info, 0, 1);
  torch::NoGradGuard no_grad;
  network_->head->weight.zero_();
  for (int k = 0; k < 3; ++k) {
    network_->head->bias.zero_();
    network_->head->bias[k] = 5;
    EXPECT_NEAR(canary.score(network_).accuracy, model_.info.prior[static_cast<std::size_t>(k)],
                1e-6);
  }
}

TEST_F(CanaryTest, SaysHowUnsureANetworkIsOfFewOfItsFaces) {
  const Canary canary(*faces_, network_, model_.info, 0, 1);
  EXPECT_LT(canary.doubt(network_, 0.05), canary.doubt(network_, 0.5));
  EXPECT_GT(canary.doubt(network_, 0), 1.f / 3);
  EXPECT_LE(canary.doubt(network_, 1), 1);

  // Nothing to tell the classes apart by.
  torch::NoGradGuard no_grad;
  network_->head->weight.zero_();
  network_->head->bias.zero_();
  EXPECT_NEAR(canary.doubt(network_, 0.05), 1.0 / 3, 1e-6);
}

TEST_F(CanaryTest, TakesAsManyOfEachClassAsAskedFor) {
  const Canary canary(*faces_, network_, model_.info, 7, 1);
  EXPECT_EQ(canary.size(), 21);
  const Confusion confusion = canary.confusion(network_);
  for (int k = 0; k < 3; ++k) {
    std::int64_t row = 0;
    for (int j = 0; j < 3; ++j) row += confusion.count(k, j);
    EXPECT_EQ(row, 7);
  }
}

}  // namespace
}  // namespace fer
