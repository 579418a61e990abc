#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "report/report.h"
#include "scoped.h"
#include "training/page_data.h"

namespace fer {
namespace {

using nlohmann::json;
using test::PageData;
using test::ScopedFolder;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// What a learner tells at a step, before it has decided anything.
json snapshot(int step) {
  return {
      {"time", "2026-01-02T03:04:05Z"},
      {"steps", step},
      {"faces", 4 * step},
      {"dropped", 3},
      {"tracklets", step},
      {"source_version", "5eed"},
      {"serving_version", "5eed"},
      {"candidate_version", ""},
      {"source_score", 0.5},
      {"serving_score", 0.5},
      {"candidate_score", 0.0},
      {"loss", 0.5},
      {"loss_x", 0.25},
      {"classes",
       {{"fear", {{"threshold", 0.75}, {"accept_rate", 0.0}, {"accepted", 0}, {"remembered", 7}}},
        {"anger",
         {{"threshold", 0.5}, {"accept_rate", 0.25}, {"accepted", 9}, {"remembered", 2}}}}},
      {"promotions", 0},
      {"kept", 0},
      {"rollbacks", 0},
      {"decision", ""},
      {"reason", ""},
      {"last_warning", ""}};
}

/// The same after a decision.
json decided(json before, const char* decision, const char* counter, double score,
             const std::string& reason) {
  before["decision"] = decision;
  before["reason"] = reason;
  before[counter] = before[counter].get<int>() + 1;
  before["candidate_version"] = "cand";
  before["candidate_score"] = score;
  if (before["decision"] == "promoted") before["serving_score"] = score;
  return before;
}

TEST(LearnerReport, DrawsWhatALearnerDid) {
  json later = decided(snapshot(50), "promoted", "promotions", 0.625, "it is better");
  std::vector<json> told{snapshot(0), snapshot(40), later};
  later["steps"] = 60;
  told.push_back(later);
  later["steps"] = 100;
  told.push_back(decided(later, "rolled back", "rollbacks", 0.25, "it is <worse>"));
  const PageData page(learner_page("cam", told));
  const std::string recall = "Macro recall on the canary";
  EXPECT_EQ(page.at(recall, "serving", 50), 0.625);
  EXPECT_EQ(page.at(recall, "source", 100), 0.5);
  EXPECT_EQ(page.at(recall, "candidate", 100), 0.25);
  EXPECT_EQ(page.mark(recall, "promoted", 50), "it is better");
  EXPECT_EQ(page.mark(recall, "rolled back", 100), "it is <worse>");
  EXPECT_EQ(page.mark(recall, "promoted", 60), "") << "nothing was decided there";
  EXPECT_EQ(page.at("Thresholds", "fear", 40), 0.75);
  EXPECT_EQ(page.at("Accept rate", "anger", 40), 0.25);
  EXPECT_EQ(page.at("Tracklets in the memory", "fear", 0), 7);
  EXPECT_EQ(page.at("Losses", "labelled", 40), 0.25);
  EXPECT_THAT(page.texts("warning"), Contains("No face was ever accepted as fear."));
  EXPECT_THAT(page.rows(), ElementsAre("cam|200|3|50|100|1|0|1|50.00 %|62.50 %",
                                       "2026-01-02T03:04:05Z|50|promoted|cand|it is better",
                                       "2026-01-02T03:04:05Z|100|rolled back|cand|it is <worse>"));
  EXPECT_TRUE(page.block("chart", "Accuracy on the canary").is_null()) << "nobody told of it";
}

TEST(LearnerReport, DrawsAccuracyWhereItIsTold) {
  json told = snapshot(10);
  told["source_accuracy"] = 0.8125;
  EXPECT_EQ(PageData(learner_page("cam", {told})).at("Accuracy on the canary", "source", 10),
            0.8125);
}

TEST(LearnerReport, TakesBackWhatACrashUndid) {
  json last = snapshot(20);
  last["loss"] = 2;
  json undone = snapshot(30);
  undone["loss"] = 3;
  const PageData page(learner_page("cam", {snapshot(10), undone, last}));
  EXPECT_EQ(page.at("Losses", "all", 10), 0.5);
  EXPECT_EQ(page.at("Losses", "all", 20), 2);
  EXPECT_TRUE(std::isnan(page.at("Losses", "all", 30)));
}

TEST(LearnerReport, SaysWhyNothingWasLearnt) {
  json told = snapshot(0);
  told["reason"] = "gone.replay: no such file";
  told["last_warning"] = "gone.replay: cannot be read";
  EXPECT_THAT(
      learner_page("cam", {told}),
      AllOf(HasSubstr("No step of learning was made: gone.replay: no such file."),
            HasSubstr("gone.replay: cannot be read"), HasSubstr("No candidate was judged")));
  EXPECT_THAT(learner_page("cam", {}), HasSubstr("It has told nothing of itself"));
  EXPECT_THAT(learner_page("cam", {json::object(), json::array(), {{"steps", "many"}}}),
              HasSubstr("It has told nothing of itself"));
}

TEST(LearnerReport, BoundsItsCurvesAndItsTable) {
  std::vector<json> told;
  json now = snapshot(0);
  for (int i = 1; i <= 3000; ++i) {
    now["steps"] = i;
    told.push_back(now = decided(now, "kept", "kept", 0.5, "number " + std::to_string(i) + "."));
  }
  const std::string page = learner_page("cam", told);
  EXPECT_THAT(page, AllOf(HasSubstr("2900 earlier ones are not shown"), HasSubstr("number 3000."),
                          Not(HasSubstr("number 2900."))));
  EXPECT_LT(page.size(), 500'000u);
}

TEST(LearnerReport, ReadsLearnersAndRunsSideBySide) {
  const ScopedFolder learner, run;
  learner.write("log.1.jsonl", snapshot(10).dump() + "\n");
  learner.write("log.jsonl", snapshot(20).dump() + "\n" + snapshot(30).dump().substr(0, 40));
  run.write("log.jsonl", "{\"epoch\":0,\"accuracy\":0.5}\n");
  ASSERT_TRUE(is_learner_folder(learner.path()));
  ASSERT_FALSE(is_learner_folder(run.path()));
  const LearnerRun read = read_learner_run(learner.path());
  EXPECT_EQ(read.name, learner.path().filename().string());
  ASSERT_EQ(read.snapshots.size(), 2u);
  EXPECT_THAT(report_page({read_run(run.path())}, {read}, "accuracy"),
              HasSubstr("<title>Training runs and learners</title>"));
  const PageData page(report_page({read_run(run.path())}, {read}, "accuracy"));
  EXPECT_THAT(page.texts("heading"), AllOf(Contains("Training runs"), Contains("Learners")));
  EXPECT_EQ(page.at("Losses", "all", 20), 0.5);
  EXPECT_THAT(PageData(report_page({}, {read}, "accuracy")).texts("heading"),
              Not(Contains("Training runs")));
}

}  // namespace
}  // namespace fer
