#include "stream/model_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "model/stored_model.h"
#include "tiny_learner.h"

namespace fer {
namespace {

using test::TinySource;
using testing::HasSubstr;

class ModelTrialTest : public testing::Test {
 protected:
  /// A model that says that it was adapted from the source.
  std::filesystem::path adapted(const std::function<void(StoredModel&)>& change) const {
    StoredModel model = read_stored_model(source_.model());
    model.info.parent = model.info.version;
    change(model);
    const auto path = folder_.path() / "adapted.fer";
    write_stored_model(path, model);
    return path;
  }
  static void scale(StoredModel& model, const std::string& prefix, float factor) {
    for (auto& [name, tensor] : model.weights) {
      if (name.starts_with(prefix))
        for (float& value : tensor.values) value *= factor;
    }
  }

  const test::ScopedFolder folder_;
  const TinySource& source_ = TinySource::get();
  ModelTrial trial_{source_.model(), source_.packed(), test::tiny_online_config()};
};

TEST_F(ModelTrialTest, TheSourceMayServe) {
  const auto verdict = trial_.judge(source_.model());
  EXPECT_TRUE(verdict.judged);
  ASSERT_TRUE(verdict.model) << verdict.reason;
  EXPECT_GT(verdict.score, 0.9);
}

TEST_F(ModelTrialTest, AnAdaptedModelServesWhereItKnowsTheCanary) {
  const auto verdict = trial_.judge(adapted([](StoredModel& m) { scale(m, "head", 1.01f); }));
  ASSERT_TRUE(verdict.model) << verdict.reason;
  EXPECT_EQ(verdict.model->info.version, read_model_info(folder_.path() / "adapted.fer").version);
}

TEST_F(ModelTrialTest, OneThatForgotTheCanaryIsRefusedAndTheNextIsJudgedAnew) {
  const auto worse = trial_.judge(adapted([](StoredModel& m) { scale(m, "head", -1); }));
  EXPECT_TRUE(worse.judged);
  EXPECT_FALSE(worse.model);
  EXPECT_THAT(worse.reason, HasSubstr("the source's"));
  EXPECT_TRUE(trial_.judge(adapted([](StoredModel& m) { scale(m, "head", 1.01f); })).model);
}

TEST_F(ModelTrialTest, OneOfAnotherParentOrLowerHalfIsNotEvenJudged) {
  const auto stranger = trial_.judge(adapted([](StoredModel& m) {
    scale(m, "head", 1.01f);
    m.info.parent = "123456789abc";
  }));
  EXPECT_FALSE(stranger.judged);
  EXPECT_THAT(stranger.reason, HasSubstr("was adapted from version 123456789abc"));
  const auto other = trial_.judge(adapted([](StoredModel& m) { scale(m, "stem", 1.01f); }));
  EXPECT_FALSE(other.judged);
  EXPECT_THAT(other.reason, HasSubstr("another lower half"));
}

TEST_F(ModelTrialTest, WhatIsNoModelMayNotServe) {
  const auto file = folder_.write("rubbish.fer", "rubbish");
  const auto verdict = trial_.judge(file);
  EXPECT_FALSE(verdict.judged);
  EXPECT_THAT(verdict.reason, HasSubstr("rubbish.fer"));
}

}  // namespace
}  // namespace fer
