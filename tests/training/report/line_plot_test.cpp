#include "report/line_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "content.h"
#include "scoped.h"

namespace fer {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(LinePlot, DrawsALineASeriesAsSvg) {
  const test::ScopedFolder folder;
  const auto paths_of = [&](const std::vector<Series>& series) {
    const auto file = folder.path() / "plot.svg";
    ChartSpec spec{"Macro recall", "labels"};
    spec.shares = spec.fit = spec.log_x = true;
    plot_lines(file, {spec, series});
    const std::string svg = test::content(file);
    EXPECT_THAT(svg, HasSubstr("<svg"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    static const std::regex line("stroke-width=\"2\"|stroke-width:2");
    return std::distance(std::sregex_iterator(svg.begin(), svg.end(), line),
                         std::sregex_iterator());
  };
  const Series one{"a", {{10, 0.2}, {100, 0.4}, {1000, 0.5}}};
  EXPECT_EQ(paths_of({one}), 1);
  EXPECT_EQ(paths_of({one, {"b", {{10, 0.3}, {50, 0.4}, {100, NAN}, {1000, 0.6}}}}), 2);
  EXPECT_EQ(paths_of({{"none", {{10, NAN}}}}), 0);
}

}  // namespace
}  // namespace fer
