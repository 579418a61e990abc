#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kLog =
    R"({"epoch":0,"accuracy":0.5,"macro_recall":0.4,"loss":2.5,"recall":{"fear":null,"anger":0.5},"seconds":60})"
    "\n"
    R"({"epoch":1,"accuracy":0.625,"macro_recall":0.3,"loss":1.5,"recall":{"fear":null,"anger":0.75},)"
    R"("thresholds":{"fear":0.8,"anger":0.9},"accept_rate":0.25,"never_accepted":["fear"],)"
    R"("confusion":[[3,1],[0,4]],"labels":["fear","anger"],"seconds":120})"
    "\n";

RunLog run_of(const ScopedFolder& folder, const std::string& log) {
  folder.write("log.jsonl", log);
  return read_run(folder.path());
}

TEST(Report, ShowsWhatTheLogHolds) {
  const ScopedFolder folder;
  const std::string page = report_page({run_of(folder, kLog)}, {}, "accuracy");
  EXPECT_THAT(page, AllOf(HasSubstr("<td class=\"best\">62.50 %</td><td>30.00 %</td>"),
                          HasSubstr("<td>2.0</td>")));
  EXPECT_THAT(page,
              AllOf(HasSubstr("Recall on valid"), HasSubstr("anger, epoch 2: 75 %"),
                    HasSubstr("Thresholds"), HasSubstr("fear, epoch 2: 80 %"),
                    HasSubstr("accept_rate, epoch 2: 25 %"), HasSubstr("loss, epoch 1: 2.5")));
  EXPECT_THAT(page, HasSubstr("No pseudo-label of fear was ever accepted"));
  EXPECT_THAT(page, HasSubstr("title=\"3 of 4\">75.0</td>"));
  EXPECT_THAT(page, Not(HasSubstr("http"))) << "nothing comes from elsewhere";
}

TEST(Report, TakesTheBestEpochByTheScoreAskedFor) {
  const ScopedFolder folder;
  EXPECT_THAT(report_page({run_of(folder, kLog)}, {}, "macro_recall"),
              HasSubstr("<td>50.00 %</td><td class=\"best\">40.00 %</td>"));
}

TEST(Report, ComparesRuns) {
  const ScopedFolder a, b;
  const std::string page = report_page({run_of(a, kLog), run_of(b, kLog)}, {}, "accuracy");
  EXPECT_THAT(page, HasSubstr("Accuracy on valid"));
  EXPECT_THAT(page, HasSubstr(b.path().filename().string() + ", epoch 1: 50 %"));
}

TEST(Report, ReadsARunThatIsStillAtWork) {
  const ScopedFolder folder;
  EXPECT_EQ(run_of(folder, std::string(kLog) + R"({"epoch":2,"accur)").epochs.size(), 2u);
}

TEST(Report, KeepsNamesAndSettingsSafe) {
  const ScopedFolder folder;
  folder.write("run.json", R"({"out": "<script>alert(1)</script>"})");
  const std::string page = report_page({run_of(folder, kLog)}, {}, "accuracy");
  EXPECT_THAT(page, AllOf(HasSubstr("&lt;script&gt;"), Not(HasSubstr("<script>"))));
}

TEST(Report, NamesFileAndLineOfADamagedLog) {
  const ScopedFolder folder;
  const std::string path = (folder.path() / "log.jsonl").string();
  EXPECT_THAT(error_of([&] { read_run(folder.path()); }),
              AllOf(HasSubstr(path), HasSubstr("no such file")));
  EXPECT_THAT(error_of([&] { run_of(folder, "{\"epoch\":0}\nnonsense\n{\"epoch\":2}\n"); }),
              AllOf(HasSubstr(path + ":2"), HasSubstr("nonsense")));
  EXPECT_THAT(error_of([&] { run_of(folder, ""); }), HasSubstr(path));
  folder.write("run.json", "{");
  EXPECT_THAT(error_of([&] { run_of(folder, kLog); }), HasSubstr("run.json"));
}

TEST(Report, NamesFileAndLineOfALogEditedByHand) {
  const ScopedFolder folder;
  const std::string where = (folder.path() / "log.jsonl").string() + ":2: expected ";
  const auto complaint = [&](const std::string& line) {
    return error_of([&] { run_of(folder, "{\"epoch\":0}\n" + line + "\n"); });
  };
  EXPECT_THAT(complaint(R"({"labels":[1,2],"confusion":[[1,2],[3,4]]})"),
              HasSubstr(where + "\"labels\""));
  EXPECT_THAT(complaint(R"({"labels":["a","b"],"confusion":[5,6]})"),
              HasSubstr(where + "\"confusion\""));
  EXPECT_THAT(complaint(R"({"collapsed":"yes"})"), HasSubstr(where + "\"collapsed\""));
}

TEST(Report, DrawsPretraining) {
  const ScopedFolder folder;
  const std::string page = report_page(
      {run_of(folder, R"({"epoch":0,"loss":2.5,"spread":0.5,"dimensions":20,"collapsed":false,)"
                      R"("knn_accuracy":0.25,"knn_macro_recall":0.2,"seconds":60})"
                      "\n"
                      R"({"epoch":1,"loss":1.5,"spread":0.05,"dimensions":2,"collapsed":true,)"
                      R"("knn_accuracy":0.375,"knn_macro_recall":0.3,"seconds":120})"
                      "\n")},
      {}, "accuracy");
  EXPECT_THAT(
      page,
      AllOf(HasSubstr("loss, epoch 2: 1.5"), HasSubstr("spread, epoch 2: 0.05"),
            HasSubstr("dimensions, epoch 1: 20"), HasSubstr("accuracy, epoch 2: 37.5 %"),
            HasSubstr("macro recall, epoch 1: 20 %"), HasSubstr("The embedding has collapsed")));
  EXPECT_THAT(page, Not(HasSubstr("On valid</text>")));
  EXPECT_THAT(page, HasSubstr("<td>2</td><td>–</td>")) << "no epoch is the best";
}

}  // namespace
}  // namespace fer
