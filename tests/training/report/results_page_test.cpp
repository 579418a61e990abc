#include "report/results_page.h"

#include <gtest/gtest.h>

#include "training/page_data.h"

namespace fer {
namespace {

using json = nlohmann::ordered_json;

TEST(ResultsPage, ShowsMeanAndDeviationOfEachGroupAndAllRuns) {
  const auto run = [](const char* method, int labels, double recall) {
    return json{{"method", method}, {"labels_per_class", labels}, {"macro_recall", recall}};
  };
  const json results{{"experiment", "e0"},
                     {"about", "Few labels."},
                     {"budget", {{"steps", 300}}},
                     {"runs", {run("dta", 10, 0.25), run("dta", 10, 0.75), run("free", 0, 0.5)}}};
  const test::PageData page(
      results_page(results, {"method", {{"macro_recall", "macro recall"}}}, std::nullopt));
  const auto bars = page.block("bars", "macro recall");
  EXPECT_EQ(bars["categories"], (nlohmann::json{"dta, 10 labels", "free, all labels"}));
  EXPECT_EQ(bars["series"][0]["values"], (nlohmann::json{0.5, 0.5}));
  EXPECT_NEAR(bars["series"][0]["intervals"][0][0], 0.5 - 0.3535534, 1e-6);
  EXPECT_TRUE(bars["series"][0]["intervals"][1][0].is_null()) << "one run has no deviation";
  EXPECT_EQ(page.rows().size(), 3u);
}

}  // namespace
}  // namespace fer
