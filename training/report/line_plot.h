// Lines over an axis as a picture for print.
#pragma once

#include <filesystem>

#include "report/page/chart.h"

namespace fer {

/// Draws the chart to a PNG or SVG file, by the path's ending: a line a series with its points, a
/// tick at each x that occurs, and a legend. Marks are left to pages. Throws what write_plot()
/// throws.
void plot_lines(const std::filesystem::path& path, const Chart& chart);

}  // namespace fer
