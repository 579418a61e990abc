#include "learn/supervised/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <stdexcept>

#include "data/tiny_dataset.h"
#include "error_of.h"
#include "model/classifier.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ScopedFolder;
using testing::HasSubstr;

/// The tiny dataset, and runs on it in folders of their own.
class TrainerTest : public testing::Test {
 protected:
  TrainerTest() { write_packed(folder_.path() / "tiny.packed", test::tiny_info(), rows_); }

  PackedDataset data() const { return PackedDataset(folder_.path() / "tiny.packed"); }
  fs::path out(const std::string& name) const { return folder_.path() / name; }

  TrainResult run(const TrainConfig& config, const std::string& name) const {
    const std::atomic<bool> stop{false};
    return train(
        data(), config, out(name), [](const TrainProgress&) {}, [](const json&) {}, stop);
  }

  /// Stops in the middle of an epoch.
  TrainResult run_until(const TrainConfig& config, const std::string& name, int epoch) const {
    std::atomic<bool> stop{false};
    return train(
        data(), config, out(name),
        [&](const TrainProgress& p) {
          if (p.epoch == epoch && p.step < p.steps) stop = true;
        },
        [](const json&) {}, stop);
  }

  /// The lines of a run's log; without the times, which differ from run to run.
  std::vector<json> log(const std::string& name) const {
    std::vector<json> lines;
    std::ifstream in(out(name) / "log.jsonl");
    for (std::string line; std::getline(in, line);) {
      json entry = json::parse(line);
      EXPECT_GE(entry.at("seconds").get<double>(), 0);
      entry.erase("seconds");
      lines.push_back(std::move(entry));
    }
    return lines;
  }

  std::string version(const std::string& name, const std::string& file) const {
    return read_model_info(out(name) / file).version;
  }

  /// The message of what a run throws.
  std::string error_of(const TrainConfig& config, const std::string& name) const {
    return test::error_of([&] { run(config, name); });
  }

  const ScopedFolder folder_;
  std::vector<PackedRow> rows_ = test::tiny_rows(60);
};

TEST_F(TrainerTest, LearnsWhatCanBeSeparated) {
  TrainConfig config = test::tiny_train_config();
  config.epochs = 8;
  const TrainResult result = run(config, "run");
  EXPECT_FALSE(result.stopped);
  EXPECT_GT(result.last["accuracy"], 0.95);
  EXPECT_GT(result.best["accuracy"], 0.95);
  EXPECT_GT(result.best["macro_recall"], 0.95);

  // What was kept knows the split that the run never saw, through the path that serves.
  const PackedDataset faces = data();
  const auto classifier = Classifier::open(out("run") / "best.fer", Precision::kFp32);
  int right = 0, all = 0;
  for (std::size_t row : faces.rows("test")) {
    const auto logits = classifier->logits(faces.crop(row));
    right += std::max_element(logits.begin(), logits.end()) - logits.begin() == faces.label(row);
    ++all;
  }
  EXPECT_GT(right, 0.95 * all);
}

TEST_F(TrainerTest, LearnsInBf16Too) {
  TrainConfig config = test::tiny_train_config();
  config.epochs = 8;
  config.bf16 = true;
  EXPECT_GT(run(config, "run").last["accuracy"], 0.95);
}

TEST_F(TrainerTest, LogsEachEpochAndKeepsTheBest) {
  const TrainResult result = run(test::tiny_train_config(), "run");
  const auto lines = log("run");
  ASSERT_EQ(lines.size(), 4u);
  double best = 0;
  for (int epoch = 0; epoch < 4; ++epoch) {
    const json& line = lines[static_cast<std::size_t>(epoch)];
    EXPECT_EQ(line["epoch"], epoch);
    EXPECT_GT(line["loss"], 0);
    EXPECT_EQ(line["recall"].size(), 3u);
    best = std::max(best, line["accuracy"].get<double>());
  }
  EXPECT_EQ(result.best["accuracy"], best);
  EXPECT_EQ(result.last["epoch"], 3);
  EXPECT_LT(lines[3]["loss"], lines[0]["loss"]);
}

TEST_F(TrainerTest, WritesWhatServingNeeds) {
  TrainConfig config = test::tiny_train_config();
  config.epochs = 1;
  run(config, "run");
  const ModelInfo info = read_model_info(out("run") / "last.fer");
  EXPECT_EQ(info.labels, test::tiny_labels());
  EXPECT_EQ(info.network.name, "tiny");
  EXPECT_EQ(info.align_template, "fer");
  EXPECT_EQ(info.provenance["data"], "tiny");
  EXPECT_EQ(info.provenance["train"]["seed"], 1);
  for (float share : info.prior) EXPECT_NEAR(share, 1 / 3.f, 1e-3);
  EXPECT_EQ(info.parent, "");
}

TEST_F(TrainerTest, GoesOnAsIfItHadNeverStopped) {
  TrainConfig config = test::tiny_train_config();
  config.mixup = 0.2;
  config.balance = 0.25;
  config.early_epochs = 0.5;
  run(config, "whole");

  EXPECT_TRUE(run_until(config, "pieces", 0).stopped);
  EXPECT_FALSE(fs::exists(out("pieces") / "checkpoint"));
  EXPECT_TRUE(run_until(config, "pieces", 1).stopped);
  EXPECT_TRUE(run_until(config, "pieces", 3).stopped);
  const TrainResult result = run(config, "pieces");
  EXPECT_FALSE(result.stopped);

  for (const char* file : {"last.fer", "best.fer"})
    EXPECT_EQ(version("pieces", file), version("whole", file)) << file;
  EXPECT_EQ(log("pieces"), log("whole"));
  ASSERT_EQ(log("whole").size(), 4u);
}

TEST_F(TrainerTest, IsTheSameForASeedAndAnotherForAnother) {
  TrainConfig config = test::tiny_train_config();
  config.epochs = 1;
  run(config, "one");
  run(config, "same");
  config.seed = 2;
  run(config, "other");
  EXPECT_EQ(version("one", "last.fer"), version("same", "last.fer"));
  EXPECT_NE(version("one", "last.fer"), version("other", "last.fer"));
}

TEST_F(TrainerTest, HasNothingToDoForAFinishedRun) {
  const TrainConfig config = test::tiny_train_config();
  const TrainResult first = run(config, "run");
  const std::string before = version("run", "last.fer");
  const std::atomic<bool> stop{false};
  const TrainResult again = train(
      data(), config, out("run"), [](const TrainProgress&) { FAIL() << "a step was taken"; },
      [](const json&) { FAIL() << "an epoch was run"; }, stop);
  EXPECT_FALSE(again.stopped);
  EXPECT_EQ(again.best, first.best);
  EXPECT_EQ(again.last, first.last);
  EXPECT_EQ(version("run", "last.fer"), before);
}

TEST_F(TrainerTest, DropsLogLinesOfEpochsThatRunAgain) {
  const TrainConfig config = test::tiny_train_config();
  run_until(config, "run", 2);
  ASSERT_EQ(log("run").size(), 2u);
  std::ofstream(out("run") / "log.jsonl", std::ios::app)
      << R"({"epoch":2,"accuracy":1,"seconds":1})"
      << "\n{\"epoch\":3,\"acc";
  run(config, "run");
  const auto lines = log("run");
  ASSERT_EQ(lines.size(), 4u);
  for (int epoch = 0; epoch < 4; ++epoch)
    EXPECT_EQ(lines[static_cast<std::size_t>(epoch)]["epoch"], epoch);
  EXPECT_TRUE(lines[2].contains("loss"));
}

TEST_F(TrainerTest, RefusesToGoOnWithOtherSettings) {
  TrainConfig config = test::tiny_train_config();
  config.epochs = 2;
  run(config, "run");
  const std::string before = version("run", "last.fer");
  const std::vector<std::pair<std::string, std::function<void(TrainConfig&)>>> changes{
      {"epochs", [](TrainConfig& c) { c.epochs = 3; }},
      {"seed", [](TrainConfig& c) { c.seed = 5; }},
      {"learning_rate", [](TrainConfig& c) { c.learning_rate = 0.05; }},
      {"erase", [](TrainConfig& c) { c.augment.erase = 0; }},
      {"widths", [](TrainConfig& c) {
         c.network.widths = {8, 16};
       }}};
  for (const auto& [name, change] : changes) {
    TrainConfig other = config;
    change(other);
    EXPECT_THAT(
        error_of(other, "run"),
        testing::AllOf(HasSubstr("checkpoint"), HasSubstr("other settings"), HasSubstr(name)));
  }
  EXPECT_EQ(version("run", "last.fer"), before);
  // How many threads do the work is no setting of that kind.
  config.threads = 2;
  EXPECT_EQ(error_of(config, "run"), "");
}

TEST_F(TrainerTest, NamesDataThatCannotTeach) {
  TrainConfig config = test::tiny_train_config();
  config.batch = 4096;
  EXPECT_THAT(error_of(config, "run"), HasSubstr("fewer than one batch of 4096"));
  config = test::tiny_train_config();
  config.network.input_size = 24;
  EXPECT_THAT(error_of(config, "run"), testing::AllOf(HasSubstr("24 px"), HasSubstr("16 px")));

  PackedInfo info = test::tiny_info();
  info.splits = {"train", "other", "test"};
  write_packed(folder_.path() / "tiny.packed", info, rows_);
  EXPECT_THAT(error_of(test::tiny_train_config(), "run"), HasSubstr("no split \"valid\""));
  info.splits = {"practice", "valid", "test"};
  write_packed(folder_.path() / "tiny.packed", info, rows_);
  EXPECT_THAT(error_of(test::tiny_train_config(), "run"), HasSubstr("no split \"train\""));
}

TEST_F(TrainerTest, NamesABrokenCheckpoint) {
  fs::create_directories(out("run"));
  std::ofstream(out("run") / "checkpoint") << "not one";
  EXPECT_THAT(error_of(test::tiny_train_config(), "run"), HasSubstr("checkpoint: expected"));
}

TEST_F(TrainerTest, IsTaughtByATeacher) {
  TrainConfig config = test::tiny_train_config();
  config.epochs = 8;
  run(config, "teacher");
  // Nothing but the teacher's word, on labels that say the contrary.
  for (PackedRow& row : rows_)
    if (row.split == 0) std::rotate(row.votes.begin(), row.votes.begin() + 1, row.votes.end());
  write_packed(folder_.path() / "tiny.packed", test::tiny_info(), rows_);
  config.teachers = {out("teacher") / "best.fer"};
  config.distill = 1;
  const TrainResult result = run(config, "student");
  EXPECT_GT(result.last["accuracy"], 0.9);
}

TEST_F(TrainerTest, RefusesATeacherOfOtherLabelsOrCrops) {
  TrainConfig config = test::tiny_train_config();
  config.epochs = 1;
  run(config, "teacher");
  config.teachers = {out("teacher") / "best.fer"};
  PackedInfo labels = test::tiny_info();
  labels.labels = {"neutral", "happiness", "fear"};
  PackedInfo crops = test::tiny_info();
  crops.crops.align_template = "arcface";
  for (const PackedInfo& other : {labels, crops}) {
    write_packed(folder_.path() / "tiny.packed", other, rows_);
    EXPECT_THAT(error_of(config, "student"), HasSubstr("best.fer: a teacher must have the data's"));
  }
}

TEST_F(TrainerTest, StartsFromAModelFile) {
  TrainConfig config = test::tiny_train_config();
  config.epochs = 8;
  run(config, "first");
  const fs::path start = out("first") / "last.fer";
  const std::string parent = version("first", "last.fer");

  // So little is learnt that what is known comes from the start.
  config.init = InitialWeights(start);
  config.epochs = 2;
  config.learning_rate = 1e-6;
  run(config, "second");
  EXPECT_GT(log("second").front()["accuracy"], 0.9);
  const ModelInfo info = read_model_info(out("second") / "last.fer");
  EXPECT_EQ(info.parent, parent);
  EXPECT_EQ(info.provenance["train"]["init"], parent);
  EXPECT_EQ(info.mean, read_model_info(start).mean);

  // The file may go, the run goes on: from its checkpoint, in pieces as in one.
  fs::remove(start);
  EXPECT_TRUE(run_until(config, "pieces", 1).stopped);
  EXPECT_FALSE(run(config, "pieces").stopped);
  EXPECT_EQ(version("pieces", "last.fer"), version("second", "last.fer"));

  TrainConfig from_chance = config;
  from_chance.init = InitialWeights();
  EXPECT_THAT(error_of(from_chance, "second"),
              testing::AllOf(HasSubstr("other settings"), HasSubstr("init")));
  run(from_chance, "chance");
  EXPECT_LT(log("chance").front()["accuracy"], 0.9);

  config.network.widths = {8, 16};
  EXPECT_THAT(error_of(config, "other"),
              testing::AllOf(HasSubstr("last.fer"), HasSubstr("widths [8,16]")));
}

}  // namespace
}  // namespace fer
