// Sweeps of the built program `fer`. FER_PROGRAM names it.
#include "sweep/sweep.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "content.h"
#include "data/tiny_dataset.h"
#include "error_of.h"
#include "evaluation/prediction_csv.h"
#include "learn/features/feature_file.h"
#include "model/model_info.h"
#include "scoped.h"
#include "terminal/interrupt.h"
#include "terminal/subprocess.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::content;
using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SweepTest : public testing::Test {
 protected:
  SweepTest() {
    settings_.program = std::getenv("FER_PROGRAM");
    settings_.data = folder_.path() / "tiny.packed";
    settings_.runs = folder_.path() / "runs";
    settings_.results = folder_.path() / "results";
    settings_.parallel = 2;
    write_packed(settings_.data, test::tiny_info(), test::tiny_rows(12));
  }

  Experiment experiment(int steps = 4, const std::string& init = "") const {
    json text{{"about", "A trial."},
              {"budget",
               {{"network", "fernet-small"},
                {"steps", steps},
                {"epoch-steps", 2},
                {"batch", 4},
                {"mu", 1},
                {"device", "cpu"}}},
              {"methods", {{"few", {{"method", "supervised"}}}, {"fix", {{"method", "fixmatch"}}}}},
              {"labels_per_class", {4}},
              {"seeds", {1}}};
    if (!init.empty()) text["budget"]["init"] = init;
    return read_experiment(folder_.write("trial.json", text.dump()));
  }
  json results() const { return json::parse(content(settings_.results / "trial.json")); }

  const ScopedFolder folder_;
  SweepSettings settings_;
};

TEST_F(SweepTest, MeasuresEveryRunAndSkipsWhatIsDone) {
  EXPECT_EQ(run_sweep(experiment(), settings_), 0u);
  const json found = results();
  EXPECT_EQ(found["experiment"], "trial");
  EXPECT_EQ(found["budget"]["steps"], 4);
  ASSERT_EQ(found["runs"].size(), 2u);
  for (const json& run : found["runs"]) {
    EXPECT_EQ(run["labels_per_class"], 4);
    EXPECT_EQ(run["seed"], 1);
    for (const char* key : {"accuracy", "macro_recall", "accuracy_best", "macro_recall_best"}) {
      EXPECT_GE(run[key].get<double>(), 0);
      EXPECT_LE(run[key].get<double>(), 1);
    }
    EXPECT_GT(run["wall_s"].get<double>(), 0);
    EXPECT_THAT(run["command"].get<std::string>(),
                AllOf(HasSubstr("fer train --labeled tiny.packed"), HasSubstr("--steps 4")));
  }
  EXPECT_TRUE(found["runs"][0]["accept_rate"].is_null()) << "labels alone";
  EXPECT_TRUE(found["runs"][1]["accept_rate"].is_number());
  EXPECT_THAT(content(settings_.results / "trial.json"), Not(HasSubstr(folder_.path().string())));
  EXPECT_THAT(content(settings_.results / "trial.md"),
              AllOf(HasSubstr("| few |"), HasSubstr("| fix |"), HasSubstr("4 a class")));

  // Nothing is left to run.
  settings_.program = "/bin/false";
  EXPECT_EQ(run_sweep(experiment(), settings_), 0u);
  EXPECT_EQ(results(), found);

  // Nor where the results alone are left, as on another machine.
  fs::rename(settings_.runs, folder_.path() / "elsewhere");
  EXPECT_EQ(run_sweep(experiment(), settings_), 0u);
  EXPECT_EQ(results(), found);
  fs::remove_all(settings_.runs);
  fs::rename(folder_.path() / "elsewhere", settings_.runs);

  EXPECT_THAT(error_of([&] { run_sweep(experiment(6), settings_); }),
              AllOf(HasSubstr("result.json"), HasSubstr("--steps 6"), HasSubstr("--runs")));
}

TEST_F(SweepTest, MeasuresOnAnotherDomainToo) {
  settings_.also = folder_.path() / "other.packed";
  settings_.also_split = "valid";
  settings_.also_classes = {"neutral", "happiness"};
  write_packed(settings_.also, test::tiny_info(), test::tiny_rows(6));
  EXPECT_EQ(run_sweep(experiment(), settings_), 0u);
  const json found = results();
  ASSERT_EQ(found["runs"].size(), 2u);
  for (const json& run : found["runs"]) {
    EXPECT_EQ(run["device"], "cpu");
    for (const char* key : {"also_accuracy", "also_macro_recall", "also_accuracy_best"}) {
      EXPECT_GE(run[key].get<double>(), 0);
      EXPECT_LE(run[key].get<double>(), 1);
    }
  }
  EXPECT_THAT(content(settings_.results / "trial.md"), HasSubstr("The other domain"));
}

TEST_F(SweepTest, MeasuresOnFeatures) {
  const std::string model = test::train_tiny_model(folder_.path() / "model");
  FeatureConfig features;
  features.blocks = 1;
  const auto packed = settings_.data;
  settings_.data = folder_.path() / "tiny.features";
  const PackedDataset plain(packed);
  std::vector<PackedRow> rows;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    rows.push_back(plain.row(i));
    rows.back().image = std::to_string(i) + ".png";
  }
  write_packed(folder_.path() / "named", plain.info(), rows);
  ASSERT_TRUE(write_features(settings_.data, PackedDataset(folder_.path() / "named"), model,
                             features, [](std::size_t, std::size_t) { return true; }));
  const Experiment above = read_experiment(folder_.write(
      "trial.json",
      json{{"budget", {{"init", model}, {"light-head", 8}, {"steps", 4}, {"batch", 6}}},
           {"methods", {{"fix", {{"method", "fixmatch"}, {"gate", "self"}}}}},
           {"pools", {{"left", {{"distractors", settings_.data.string()}}}}},
           {"labels_per_class", {4}},
           {"seeds", {1}}}
          .dump()));
  EXPECT_EQ(run_sweep(above, settings_), 0u);
  const json found = results();
  ASSERT_EQ(found["runs"].size(), 1u);
  const json& run = found["runs"][0];
  EXPECT_EQ(run["pool"], "left");
  ASSERT_EQ(run["curve"].size(), 16u);
  EXPECT_EQ(run["accuracy_plain"], run["curve"][0]["accuracy"]);
  const auto chosen = static_cast<std::size_t>(10 * run["correction"].get<double>() + 0.5);
  EXPECT_EQ(run["macro_recall"], run["curve"][chosen]["macro_recall"]);
  EXPECT_GE(run["precision_times_coverage"].get<double>(), 0);
  EXPECT_LE(run["distractors_accepted"].get<double>(),
            run["gate"]["distractors_kept"].get<double>());
  const Predictions told =
      read_predictions(settings_.runs / "trial" / "fix-left-4-seed1" / "test.csv");
  EXPECT_NEAR(confusion_of(told).accuracy(), run["accuracy_plain"].get<double>(), 1e-9);
}

TEST_F(SweepTest, WatchesAdaptations) {
  const std::string model = test::train_tiny_model(folder_.path() / "model");
  const Experiment adapting = read_experiment(folder_.write(
      "trial.json",
      json{{"command", "adapt"},
           {"budget",
            {{"model", model},
             {"split", "train"},
             {"replay", settings_.data.string()},
             {"canary", settings_.data.string()},
             {"target-split", "test"},
             {"source-split", "valid"},
             {"least-memory", 6},
             {"frozen-blocks", 1},
             {"canary-interval", 2}}},
           {"methods", {{"ours", {{"thresholds", "fixed:tau=0"}}}, {"tent", {{"method", "tent"}}}}},
           {"orders", {"classes"}},
           {"seeds", {1}}}
          .dump()));
  EXPECT_THAT(error_of([&] { run_sweep(adapting, settings_); }), HasSubstr("--source"));
  settings_.source = settings_.data;
  EXPECT_EQ(run_sweep(adapting, settings_), 0u);
  const json runs = results()["runs"];
  ASSERT_EQ(runs.size(), 2u);
  for (const json& run : runs) {
    EXPECT_EQ(run["order"], "classes");
    EXPECT_EQ(run["init"], read_model_info(model).version);
    for (const char* key :
         {"target_before", "target_after", "target_worst", "source_before", "source_after"}) {
      EXPECT_GE(run[key].get<double>(), 0) << key;
      EXPECT_LE(run[key].get<double>(), 1) << key;
    }
    EXPECT_LE(run["target_worst"], run["target_before"]);
    EXPECT_EQ(run["source_before"], runs[0]["source_before"]);
  }
  EXPECT_EQ(runs[0]["variant"], "ours");
  EXPECT_TRUE(runs[0]["promotions"].is_number());
  EXPECT_TRUE(runs[1]["promotions"].is_null()) << "Tent decides nothing";
  EXPECT_THAT(content(settings_.results / "trial.md"),
              AllOf(HasSubstr("| ours |"), HasSubstr("| tent |")));
}

TEST_F(SweepTest, CountsRunsThatFail) {
  settings_.program = "/bin/false";
  EXPECT_EQ(run_sweep(experiment(), settings_), 2u);
  EXPECT_FALSE(fs::exists(settings_.results / "trial.json"));
}

TEST_F(SweepTest, LooksAtTheDataBeforeTheFirstRun) {
  const auto refusal = [&] { return error_of([&] { run_sweep(experiment(), settings_); }); };
  settings_.also = settings_.data;
  settings_.also_split = "exam";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("tiny.packed"), HasSubstr("no split \"exam\"")));
  settings_.also_split = "test";
  settings_.also_classes = {"neutral", "fear"};
  EXPECT_THAT(refusal(), HasSubstr("\"fear\""));
  settings_.also.clear();
  PackedInfo info = test::tiny_info();
  info.splits = {"train", "valid", "rest"};
  settings_.data = folder_.path() / "untested.packed";
  write_packed(settings_.data, info, test::tiny_rows(12));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("untested.packed"), HasSubstr("no split \"test\"")));
  EXPECT_FALSE(fs::exists(settings_.runs / "trial" / "few-4-seed1"));
}

TEST_F(SweepTest, GoesOnWhereARunHasNoResult) {
  // It ends well, and leaves no model.
  settings_.program = "/bin/true";
  EXPECT_EQ(run_sweep(experiment(), settings_), 2u);
  EXPECT_FALSE(fs::exists(settings_.results / "trial.json"));
}

TEST_F(SweepTest, NamesTheFileOfAResultThatWasEdited) {
  const auto refusal = [&] { return error_of([&] { run_sweep(experiment(), settings_); }); };
  fs::create_directories(settings_.results);
  std::ofstream(settings_.results / "trial.json") << R"({"runs":[{"command":5}]})";
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("trial.json: expected the text"), HasSubstr("{\"command")));
  fs::remove(settings_.results / "trial.json");
  fs::create_directories(settings_.runs / "trial" / "few-4-seed1");
  std::ofstream(settings_.runs / "trial" / "few-4-seed1" / "result.json")
      << R"({"method":5,"labels_per_class":4,"command":"fer"})";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("result.json: expected the text \"method\"")));
}

TEST_F(SweepTest, StopsWhenAskedTo) {
  stop_requested = true;
  EXPECT_THROW(run_sweep(experiment(), settings_), Interrupted);
  stop_requested = false;
}

TEST_F(SweepTest, LeavesAFolderToTheSweepThatWorksThere) {
  fs::create_directories(settings_.runs / "trial");
  const int lock = ::open((settings_.runs / "trial" / "lock").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
  EXPECT_THAT(error_of([&] { run_sweep(experiment(), settings_); }),
              HasSubstr((settings_.runs / "trial").string()));
  ::close(lock);
}

TEST_F(SweepTest, StartsEveryRunFromTheSameWeights) {
  const std::string start = folder_.path() / "start" / "last.fer";
  const auto pretrained = [&](const char* seed) {
    const ProgramResult made =
        run_program({settings_.program.string(), "pretrain", "--data", settings_.data.string(),
                     "--network", "fernet-small", "--steps", "1", "--batch", "4", "--threads", "1",
                     "--seed", seed, "--out", folder_.path() / "start"},
                    std::chrono::seconds(60));
    EXPECT_EQ(made.status, 0);
    return read_model_info(start).version;
  };
  EXPECT_THAT(error_of([&] { run_sweep(experiment(4, start), settings_); }), HasSubstr(start));

  const std::string version = pretrained("1");
  EXPECT_EQ(run_sweep(experiment(4, start), settings_), 0u);
  const json found = results();
  ASSERT_EQ(found["runs"].size(), 2u);
  for (const json& run : found["runs"]) EXPECT_EQ(run["init"], version);
  for (const char* run : {"few-4-seed1", "fix-4-seed1"}) {
    const fs::path folder = settings_.runs / "trial" / run;
    EXPECT_EQ(read_model_info(folder / "last.fer").parent, version);
    const json record = json::parse(content(folder / "run.json"));
    EXPECT_EQ(record["init"], start);
    EXPECT_EQ(record["options"]["init"], version);
  }

  // Other weights under the same name are another experiment.
  fs::remove_all(folder_.path() / "start");
  EXPECT_NE(pretrained("2"), version);
  EXPECT_THAT(error_of([&] { run_sweep(experiment(4, start), settings_); }),
              AllOf(HasSubstr("result.json"), HasSubstr(version)));
}

}  // namespace
}  // namespace fer
