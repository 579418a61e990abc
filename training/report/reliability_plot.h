// A reliability diagram: how often a model is right where it says how sure it is.
#pragma once

#include <filesystem>
#include <string>

#include "evaluation/predictions.h"

namespace fer {

/// Draws accuracy against confidence in 15 bins of equal mass, over the line on which both are the
/// same, and below it how many faces have which confidence. Written as write_plot() does; throws
/// what that throws.
void plot_reliability(const std::filesystem::path& path, const Predictions& predictions,
                      const std::string& title, const std::string& caption);

}  // namespace fer
