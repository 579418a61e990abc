#include "report/line_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <string>
#include <vector>

namespace fer {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Every point of the chart's circles: x, y.
std::vector<std::pair<double, double>> dots(const std::string& svg) {
  static const std::regex circle("<circle cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");
  std::vector<std::pair<double, double>> found;
  for (std::sregex_iterator it(svg.begin(), svg.end(), circle), end; it != end; ++it) {
    found.emplace_back(std::stod((*it)[1]), std::stod((*it)[2]));
  }
  return found;
}

TEST(LineChart, PlacesPointsInProportion) {
  const auto at = dots(line_chart({"", "epoch", true}, {{"a", {{0, 0}, {1, 0.5}, {4, 1}}}}));
  ASSERT_EQ(at.size(), 3u);
  EXPECT_NEAR((at[1].first - at[0].first) * 4, at[2].first - at[0].first, 0.5);
  EXPECT_NEAR(at[1].second, (at[0].second + at[2].second) / 2, 0.1);
  EXPECT_LT(at[2].second, at[0].second) << "more is higher";
}

TEST(LineChart, PlacesPointsByTheirLogarithm) {
  ChartSpec spec{"", "labels", true};
  spec.log_x = true;
  const std::string svg = line_chart(spec, {{"a", {{10, 0}, {100, 0.5}, {1000, 1}}}});
  const auto at = dots(svg);
  ASSERT_EQ(at.size(), 3u);
  EXPECT_NEAR(at[1].first - at[0].first, at[2].first - at[1].first, 0.2);
  for (const char* tick : {">10<", ">100<", ">1000<"}) EXPECT_THAT(svg, HasSubstr(tick));
}

TEST(LineChart, LeavesAGapWhereThereIsNoNumber) {
  const std::string svg =
      line_chart({"", "epoch", true}, {{"a", {{0, 0.1}, {1, NAN}, {2, 0.3}, {3, 0.4}}}});
  EXPECT_EQ(dots(svg).size(), 3u);
  EXPECT_TRUE(std::regex_search(svg, std::regex("<path d=\"M[^ML\"]+M[^ML\"]+L[^ML\"]+\""))) << svg;
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(LineChart, DrawsNothingOutsideAndNoNonsenseWithoutData) {
  for (const std::vector<Series>& series : {std::vector<Series>{},
                                            {{"empty", {}}},
                                            {{"one", {{3, 7}}}},
                                            {{"none", {{0, NAN}}}},
                                            {{"flat", {{0, 0}, {1, 0}}}},
                                            {{"beyond", {{0, -2}, {1, 5}}}}}) {
    for (const bool shares : {false, true}) {
      const std::string svg = line_chart({"t", "x", shares}, series);
      EXPECT_THAT(svg, Not(HasSubstr("nan")));
      EXPECT_THAT(svg, Not(HasSubstr("inf")));
      for (const auto& [x, y] : dots(svg)) {
        EXPECT_GE(y, 0);
        EXPECT_LE(y, 300);
      }
    }
  }
}

TEST(LineChart, FitsSmallDifferencesWhereAsked) {
  const std::vector<Series> series{{"a", {{0, 0.60}, {1, 0.62}}}};
  const auto height = [&](bool fit) {
    const auto at = dots(line_chart({"", "step", true, fit, {}}, series));
    return at.at(0).second - at.at(1).second;
  };
  EXPECT_GT(height(true), 10 * height(false));
  const auto flat =
      dots(line_chart({"", "step", true, true, {}}, {{"a", {{0, 1}, {1, 1}}}, {"b", {{0, 0}}}}));
  for (const auto& [x, y] : flat) {
    EXPECT_GE(y, 0);
    EXPECT_LE(y, 300);
  }
}

TEST(LineChart, MarksMomentsWithinTheCurves) {
  const std::string svg =
      line_chart({"",
                  "step",
                  true,
                  false,
                  {{"promoted", "#010203", {{50, "better & kept"}, {500, "elsewhere"}}},
                   {"never", "#0a0b0c", {}}}},
                 {{"a", {{0, 0.5}, {100, 0.5}}}});
  std::smatch line;
  ASSERT_TRUE(std::regex_search(
      svg, line, std::regex("promoted, step 50: better &amp; kept</title><line x1=\"([0-9.]+)\"")));
  const auto at = dots(svg);
  EXPECT_NEAR(std::stod(line[1]), (at[0].first + at[1].first) / 2, 0.2);
  EXPECT_THAT(svg, HasSubstr(">promoted</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("elsewhere")));
  EXPECT_THAT(svg, Not(HasSubstr("never"))) << "nothing of that kind happened";
}

TEST(LineChart, DrawsInTheColourOfASeries) {
  EXPECT_THAT(line_chart({"", "step"}, {{"a", {{0, 1}, {1, 2}}, "#123456"}}),
              HasSubstr("stroke=\"#123456\""));
}

TEST(LineChart, KeepsLegendAndTooltipsSafe) {
  const std::string svg = line_chart({"<title>", "x", true}, {{"a\"<b>&c", {{0, 0.25}}}});
  EXPECT_THAT(svg, HasSubstr("a&quot;&lt;b&gt;&amp;c, x 0: 25 %</title>"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(svg, HasSubstr("&lt;title&gt;"));
}

}  // namespace
}  // namespace fer
