// Line charts as SVG text, for pages that need nothing from elsewhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace fer {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< x rises; a y that is not finite is a gap.
  std::string colour = {};                        ///< As CSS has it; empty: that of its place.
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
  bool shares =
      false;         ///< y from 0 to 1, shown in percent; else from 0, or the least, to the most.
  bool fit = false;  ///< y from the least to the most: shows small differences.
  std::vector<Marks> marks = {};  ///< Upright lines behind the curves.
  bool log_x = false;  ///< x, above 0, by its logarithm, with a tick at each value that occurs.
};

/// One line a series and mark with a legend, in colours that people with any kind of colour vision
/// can tell apart (Okabe and Ito's palette, darkened where paper is white). Hovering over a point
/// tells its values. Names may hold anything: they are escaped.
std::string line_chart(const ChartSpec& spec, const std::vector<Series>& series);

/// CSS for charts on white paper.
extern const char* const kChartStyle;

/// The same as a file of its own, which brings its style with it.
std::string line_chart_file(const ChartSpec& spec, const std::vector<Series>& series);

/// The colour of the i-th series, as CSS has it.
std::string series_colour(std::size_t i);

/// Text as it must stand in HTML and SVG, in content and in quoted attributes.
std::string escaped(const std::string& text);

}  // namespace fer
