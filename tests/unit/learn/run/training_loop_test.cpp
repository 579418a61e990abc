#include "learn/run/training_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>

#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using nlohmann::json;
using test::error_of;
using test::ScopedFolder;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kSteps = 12;

/// Counts what the loop asks of it. Its score falls from epoch to epoch.
class CountingTask : public TrainingTask {
 public:
  int begin_epoch(int epoch) override {
    calls.push_back("begin " + std::to_string(epoch));
    drawn.push_back(torch::randint(1 << 20, {1}).item<std::int64_t>());
    return kSteps;
  }
  void step(int step) override {
    ++steps;
    if (on_step) on_step(step);
  }
  double mean_loss(int) override { return loss; }
  json validate(int count, double) override {
    calls.push_back("validate " + std::to_string(count));
    return {{"loss", loss}, {"score", -static_cast<int>(calls.size())}};
  }
  void save(const std::filesystem::path& path, const json& entry) const override {
    std::ofstream(path) << entry["epoch"];
  }

  std::vector<std::string> calls;
  std::vector<std::int64_t> drawn;  ///< By LibTorch, as each epoch begins.
  std::function<void(int)> on_step;
  int steps = 0;
  double loss = 1;
};

class TrainingLoopTest : public testing::Test {
 protected:
  TrainResult run(CountingTask& task, int epochs) {
    const auto network = torch::nn::Linear(1, 1).ptr(), average = torch::nn::Linear(1, 1).ptr();
    ModuleRun run(network, average, 0.9, folder_.path());
    run.resume({{"name", "test"}}, {});
    return run_training_loop(
        run, task, {.epochs = epochs, .images_per_step = 4, .seed = 3, .score = "score"},
        {[this](const TrainProgress& p) { told_.push_back(p); },
         [this](const json& entry) { kept_.push_back(entry["epoch"].get<int>()); }},
        stop_);
  }

  std::string text(const char* name) const {
    std::ifstream in(folder_.path() / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const ScopedFolder folder_;
  std::atomic<bool> stop_ = false;
  std::vector<TrainProgress> told_;
  std::vector<int> kept_;
};

TEST_F(TrainingLoopTest, TrainsAndValidatesEachEpoch) {
  CountingTask task;
  const TrainResult result = run(task, 2);
  EXPECT_THAT(task.calls, ElementsAre("begin 0", "validate 12", "begin 1", "validate 12"));
  EXPECT_EQ(task.steps, 2 * kSteps);
  EXPECT_THAT(kept_, ElementsAre(0, 1));
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.last["epoch"], 1);
}

TEST_F(TrainingLoopTest, KeepsTheBestModelAndTheLast) {
  CountingTask task;
  const TrainResult result = run(task, 3);
  EXPECT_EQ(result.best["epoch"], 0);
  EXPECT_EQ(text("best.fer"), "0");
  EXPECT_EQ(text("last.fer"), "2");
}

TEST_F(TrainingLoopTest, TellsHowFarItIsEveryTenStepsAndAtAnEpochsEnd) {
  CountingTask task;
  run(task, 1);
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[0].step, 10);
  EXPECT_EQ(told_[1].step, kSteps);
  EXPECT_EQ(told_[1].steps, kSteps);
  EXPECT_EQ(told_[1].loss, 1);
  EXPECT_GT(told_[1].images_per_second, 0);
}

TEST_F(TrainingLoopTest, StopsBetweenTwoStepsAndGoesOnFromTheLastWholeEpoch) {
  CountingTask task;
  task.on_step = [&](int step) { stop_ = task.calls.size() == 3 && step == 4; };
  const TrainResult stopped = run(task, 3);
  EXPECT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.last["epoch"], 0);
  EXPECT_EQ(task.steps, kSteps + 5);

  stop_ = false;
  CountingTask rest;
  EXPECT_FALSE(run(rest, 3).stopped);
  EXPECT_THAT(rest.calls, ElementsAre("begin 1", "validate 12", "begin 2", "validate 12"));
  EXPECT_THAT(kept_, ElementsAre(0, 1, 2));
  // The epoch that was begun twice drew the same.
  EXPECT_EQ(rest.drawn[0], task.drawn[1]);
  EXPECT_NE(rest.drawn[1], rest.drawn[0]);
}

TEST_F(TrainingLoopTest, HasNothingToDoAfterTheLastEpoch) {
  CountingTask task, again;
  run(task, 1);
  EXPECT_EQ(run(again, 1).last["epoch"], 0);
  EXPECT_EQ(again.steps, 0);
}

TEST_F(TrainingLoopTest, EndsWithAnErrorWhereTheLossIsNoLongerFinite) {
  CountingTask task;
  task.loss = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error_of([&] { run(task, 1); }), HasSubstr("no longer finite in epoch 0"));
  EXPECT_EQ(task.steps, 10);
}

TEST(ExpressionEpoch, ReadsALogEntry) {
  json entry{{"epoch", 3}, {"loss", 0.5}, {"accuracy", 0.75}, {"macro_recall", 0.625}};
  EXPECT_EQ(entry.get<ExpressionEpoch>().step, 0);
  entry["step"] = 400;
  const auto epoch = entry.get<ExpressionEpoch>();
  EXPECT_EQ(epoch.epoch, 3);
  EXPECT_EQ(epoch.step, 400);
  EXPECT_EQ(epoch.loss, 0.5);
  EXPECT_EQ(epoch.accuracy, 0.75);
  EXPECT_EQ(epoch.macro_recall, 0.625);
  entry.erase("accuracy");
  EXPECT_THROW(entry.get<ExpressionEpoch>(), json::exception);
}

}  // namespace
}  // namespace fer
