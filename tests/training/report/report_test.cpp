#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "error_of.h"
#include "scoped.h"
#include "training/page_data.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::error_of;
using test::PageData;
using test::ScopedFolder;
using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
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
  const PageData page(report_page({run_of(folder, kLog)}, {}, "accuracy"));
  EXPECT_THAT(page.rows(), Contains(AllOf(HasSubstr("|62.50 %*|30.00 %|"), EndsWith("|2.0"))));
  EXPECT_EQ(page.at("Recall on valid", "anger", 2), 0.75);
  EXPECT_EQ(page.at("Thresholds", "fear", 2), 0.8);
  EXPECT_EQ(page.at("Pseudo-labels", "accept rate", 2), 0.25);
  EXPECT_EQ(page.at("Training loss", "all", 1), 2.5);
  EXPECT_THAT(page.texts("warning"), Contains("No pseudo-label of fear was ever accepted."));
  const json confusion = page.block("confusion");
  EXPECT_EQ(confusion["labels"], (json{"fear", "anger"}));
  EXPECT_EQ(confusion["counts"], (json{{3., 1.}, {0., 4.}}));
}

TEST(Report, TakesTheBestEpochByTheScoreAskedFor) {
  const ScopedFolder folder;
  EXPECT_THAT(PageData(report_page({run_of(folder, kLog)}, {}, "macro_recall")).rows(),
              Contains(HasSubstr("|50.00 %|40.00 %*|")));
}

TEST(Report, ComparesRuns) {
  const ScopedFolder a, b;
  const PageData page(report_page({run_of(a, kLog), run_of(b, kLog)}, {}, "accuracy"));
  EXPECT_EQ(page.at("Accuracy on valid", b.path().filename().string(), 1), 0.5);
}

TEST(Report, ReadsARunThatIsStillAtWork) {
  const ScopedFolder folder;
  EXPECT_EQ(run_of(folder, std::string(kLog) + R"({"epoch":2,"accur)").epochs.size(), 2u);
}

TEST(Report, ShowsSettingsAsTheyAre) {
  const ScopedFolder folder;
  folder.write("run.json", R"({"out": "</script><script>alert(1)</script>"})");
  const std::string page = report_page({run_of(folder, kLog)}, {}, "accuracy");
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(PageData(page).texts("details"), Contains(HasSubstr("</script><script>alert(1)")));
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
  const PageData page(report_page(
      {run_of(folder, R"({"epoch":0,"loss":2.5,"spread":0.5,"dimensions":20,"collapsed":false,)"
                      R"("knn_accuracy":0.25,"knn_macro_recall":0.2,"seconds":60})"
                      "\n"
                      R"({"epoch":1,"loss":1.5,"spread":0.05,"dimensions":2,"collapsed":true,)"
                      R"("knn_accuracy":0.375,"knn_macro_recall":0.3,"seconds":120})"
                      "\n")},
      {}, "accuracy"));
  EXPECT_EQ(page.at("Training loss", "all", 2), 1.5);
  EXPECT_EQ(page.at("Spread of the embedding", "spread", 2), 0.05);
  EXPECT_EQ(page.at("Dimensions", "dimensions", 1), 20);
  EXPECT_EQ(page.at("Nearest neighbours", "accuracy", 2), 0.375);
  EXPECT_EQ(page.at("Nearest neighbours", "macro recall", 1), 0.2);
  EXPECT_THAT(page.texts("warning"), Contains(HasSubstr("The embedding has collapsed")));
  EXPECT_TRUE(page.block("chart", "On valid").is_null());
  EXPECT_THAT(page.rows(), Contains(HasSubstr("|2|–|"))) << "no epoch is the best";
}

}  // namespace
}  // namespace fer
