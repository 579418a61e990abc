#include "report/results_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

json run_of(const char* method, int labels, double accuracy, double recall) {
  return {{"method", method},
          {"labels_per_class", labels},
          {"accuracy", accuracy},
          {"macro_recall", recall},
          {"accuracy_best", accuracy + 0.01},
          {"macro_recall_best", recall + 0.01}};
}

TEST(Spread, IsThatOfASample) {
  EXPECT_EQ(spread_of({}).n, 0u);
  EXPECT_DOUBLE_EQ(spread_of({0.5}).mean, 0.5);
  EXPECT_DOUBLE_EQ(spread_of({0.5}).deviation, 0);
  const Spread spread = spread_of({1, 2, 6});
  EXPECT_DOUBLE_EQ(spread.mean, 3);
  EXPECT_NEAR(spread.deviation, 2.6457513, 1e-6);
}

TEST(ResultsTable, HasARowAMethodAndTwoColumnsANumberOfLabels) {
  const json results{{"about", "Few labels."},
                     {"budget", {{"steps", 300}, {"network", "fernet-small"}}},
                     {"runs",
                      {run_of("fixmatch", 25, 0.5, 0.4), run_of("fixmatch", 25, 0.6, 0.4),
                       run_of("dta", 25, 0.7, 0.6), run_of("fixmatch", 0, 0.8, 0.7),
                       run_of("fixmatch", 0, 0.8, 0.7)}}};
  const std::string text = results_markdown(results);
  EXPECT_THAT(text, HasSubstr("Few labels."));
  EXPECT_THAT(text, HasSubstr("steps 300, network fernet-small. 5 runs, 2 seeds"));
  EXPECT_THAT(text, HasSubstr("| method | 25 a class: accuracy | macro recall | all labels: "
                              "accuracy | macro recall |\n"));
  EXPECT_THAT(text,
              HasSubstr("| fixmatch | 55.0 ± 7.1 | 40.0 ± 0.0 | 80.0 ± 0.0 | 70.0 ± 0.0 |\n"));
  EXPECT_THAT(text, HasSubstr("| dta | 70.0 ± 0.0 (n = 1) | 60.0 ± 0.0 (n = 1) | – | – |\n"));
  EXPECT_THAT(text,
              HasSubstr("| fixmatch | 56.0 ± 7.1 | 41.0 ± 0.0 | 81.0 ± 0.0 | 71.0 ± 0.0 |\n"));
  EXPECT_THAT(text, Not(HasSubstr("other domain")));
}

TEST(ResultsTable, KeepsPoolsApart) {
  json runs = json::array();
  for (const char* pool : {"wild", "reversed"}) {
    runs.push_back(run_of("dta", 25, 0.5, *pool == 'w' ? 0.4 : 0.3));
    runs.back()["pool"] = pool;
    runs.back()["distractors_accepted"] = *pool == 'w' ? json(0.25) : json();
  }
  const std::string text =
      results_markdown({{"about", "Two."}, {"budget", {{"steps", 3}}}, {"runs", runs}});
  const auto wild = text.find("## wild"), reversed = text.find("## reversed");
  ASSERT_NE(reversed, std::string::npos);
  EXPECT_THAT(text.substr(wild, reversed - wild), HasSubstr("| dta | 50.0 ± 0.0 | 40.0 ± 0.0 |"));
  EXPECT_THAT(text.substr(wild, reversed - wild),
              HasSubstr("accepted:\n\n| method | 25 a class |"));
  EXPECT_THAT(text.substr(wild, reversed - wild), HasSubstr("| dta | 25.0 ± 0.0 |"));
  EXPECT_THAT(text.substr(reversed), HasSubstr("| dta | 50.0 ± 0.0 | 30.0 ± 0.0 |"));
  EXPECT_THAT(text.substr(reversed), Not(HasSubstr("Distractors")));
}

TEST(ResultsChart, DrawsALineAMethodOverTheNumbersOfLabels) {
  json results{{"runs",
                {run_of("fixmatch", 10, 0.5, 0.2), run_of("fixmatch", 10, 0.5, 0.4),
                 run_of("fixmatch", 100, 0.6, 0.5), run_of("a<b", 10, 0.7, 0.3)}}};
  const auto chart = results_chart(results);
  ASSERT_TRUE(chart);
  ASSERT_EQ(chart->series.size(), 2u);
  EXPECT_EQ(chart->series[0].name, "fixmatch");
  using Points = std::vector<std::pair<double, double>>;
  EXPECT_EQ(chart->series[0].points, (Points{{10, 0.3}, {100, 0.5}}));
  EXPECT_EQ(chart->series[1].points, (Points{{10, 0.3}}));

  // One number of labels, and all labels, which are no number.
  results["runs"] = {run_of("fixmatch", 10, 0.5, 0.2), run_of("fixmatch", 0, 0.5, 0.4)};
  EXPECT_FALSE(results_chart(results));
}

TEST(ResultsTable, ShowsAnotherDomainWhereRunsWereMeasuredOnOne) {
  json run = run_of("dta", 0, 0.5, 0.4);
  for (const char* suffix : {"", "_best"}) {
    run[std::string("also_accuracy") + suffix] = 0.2;
    run[std::string("also_macro_recall") + suffix] = *suffix ? 0.15 : 0.1;
  }
  const json results{{"about", "All."}, {"budget", {{"steps", 3}}}, {"runs", {run}}};
  const std::string text = results_markdown(results);
  const std::string other = text.substr(text.find("The other domain"));
  EXPECT_THAT(other, HasSubstr("| dta | 20.0 ± 0.0 | 10.0 ± 0.0 |"));
  EXPECT_THAT(other, HasSubstr("| dta | 20.0 ± 0.0 | 15.0 ± 0.0 |"));
}

}  // namespace
}  // namespace fer
