#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "report/report.h"
#include "scoped.h"

namespace fer {
namespace {

using nlohmann::json;
using test::ScopedFolder;
using testing::AllOf;
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
  const std::string page = learner_page("cam", told);
  EXPECT_THAT(
      page,
      AllOf(HasSubstr("serving, step 50: 62.5 %"), HasSubstr("source, step 100: 50 %"),
            HasSubstr("candidate, step 100: 25 %"), HasSubstr("promoted, step 50: it is better"),
            HasSubstr("rolled back, step 100: it is &lt;worse&gt;")));
  EXPECT_THAT(page, Not(HasSubstr("promoted, step 60"))) << "nothing was decided there";
  EXPECT_THAT(page, AllOf(HasSubstr("fear, step 40: 75 %"), HasSubstr("anger, step 40: 25 %"),
                          HasSubstr("fear, step 0: 7"), HasSubstr("labelled, step 40: 0.25")));
  EXPECT_THAT(page, HasSubstr("No face was ever accepted as fear."));
  EXPECT_THAT(page, HasSubstr("<td>2026-01-02T03:04:05Z</td><td>50</td>"
                              "<td class=\"text\">promoted</td>"));
  EXPECT_LT(page.find("it is better</td>"), page.find("it is &lt;worse&gt;</td>"));
  EXPECT_THAT(page, HasSubstr("<td>cam</td><td>200</td><td>3</td><td>50</td><td>100</td><td>1</td>"
                              "<td>0</td><td>1</td><td>50.00 %</td><td>62.50 %</td>"));
  EXPECT_THAT(page, Not(HasSubstr("Accuracy on the canary"))) << "nobody told of it";
  EXPECT_THAT(page, Not(HasSubstr("http"))) << "nothing comes from elsewhere";
}

TEST(LearnerReport, DrawsAccuracyWhereItIsTold) {
  json told = snapshot(10);
  told["source_accuracy"] = 0.8125;
  EXPECT_THAT(learner_page("cam", {told}),
              AllOf(HasSubstr("Accuracy on the canary"), HasSubstr("source, step 10: 81.25 %")));
}

TEST(LearnerReport, TakesBackWhatACrashUndid) {
  json last = snapshot(20);
  last["loss"] = 2;
  json undone = snapshot(30);
  undone["loss"] = 3;
  const std::string page = learner_page("cam", {snapshot(10), undone, last});
  EXPECT_THAT(page, AllOf(HasSubstr("all, step 10"), HasSubstr("all, step 20: 2")));
  EXPECT_THAT(page, Not(HasSubstr("step 30")));
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
  EXPECT_LT(page.size(), 400'000u);
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
              AllOf(HasSubstr("<title>Training runs and learners</title>"),
                    HasSubstr("<h1>Training runs</h1>"), HasSubstr("all, step 20: 0.5")));
  EXPECT_THAT(report_page({}, {read}, "accuracy"), Not(HasSubstr("Training")));
}

}  // namespace
}  // namespace fer
