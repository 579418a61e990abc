// Charts as data: a page draws them alive (report/page/page.h), a plot for print
// (report/line_plot.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace fer {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< x rises; a y that is not finite is a gap.
  std::string colour = {};  ///< As CSS has it; empty: that of the class of this name, or its place.
};

/// Moments of one kind.
struct Marks {
  std::string name;
  std::string colour;
  std::vector<std::pair<double, std::string>> at;  ///< x, and what hovering tells.
};

struct ChartSpec {
  std::string title;
  std::string x_axis;
  bool shares = false;            ///< y is shown in percent, from 0 to 1 unless `fit`.
  bool fit = false;               ///< y from the least to the most: shows small differences.
  std::vector<Marks> marks = {};  ///< Upright lines behind the curves.
  bool log_x = false;             ///< x, above 0, by its logarithm.
};

struct Chart {
  ChartSpec spec;
  std::vector<Series> series;
};

}  // namespace fer
