// A confusion matrix as a picture.
#pragma once

#include <filesystem>
#include <string>

#include "learn/evaluation/metrics.h"

namespace fer {

/// Draws the matrix to a PNG or SVG file, by the path's ending: one row a label, coloured by its
/// share of the row, percent and count in each cell. `caption` stands below the title. Throws
/// what write_plot() throws.
void plot_confusion(const std::filesystem::path& path, const Confusion& confusion,
                    const std::string& title, const std::string& caption);

}  // namespace fer
