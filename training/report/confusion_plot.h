// A confusion matrix as a picture.
#pragma once

#include <filesystem>
#include <string>

#include "learn/evaluation/metrics.h"

namespace fer {

/// Draws the matrix to a PNG or SVG file, by the path's ending: one row a label, coloured by its
/// share of the row, percent and count in each cell. `caption` stands below the title. Written
/// atomically.
/// Throws std::runtime_error for another ending or a file that cannot be written.
void plot_confusion(const std::filesystem::path& path, const Confusion& confusion,
                    const std::string& title, const std::string& caption);

/// True for an ending that plot_confusion() knows.
bool is_plot_path(const std::filesystem::path& path);

}  // namespace fer
