// What an experiment found, as JSON and as a table for people.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "report/page/chart.h"

namespace fer {

/// Mean and standard deviation (of a sample: divided by n − 1; 0 for one value).
struct Spread {
  double mean = 0, deviation = 0;
  std::size_t n = 0;
};
Spread spread_of(const std::vector<double>& values);

/// "61.0 ± 1.4", by a printf format for mean and deviation; says how many values it is of where
/// that is not the usual number. A dash for none.
std::string spread_text(const Spread& spread, const char* format, std::size_t usual);

/// The `results`' budget as a list: "steps 3000, batch 32".
std::string budget_text(const nlohmann::ordered_json& results);

/// A Markdown table of an experiment's `results` ({"experiment", "about", "budget", "runs":
/// [{"method", "labels_per_class", "accuracy", "macro_recall", …}]}): a row a method in the order
/// in which they first stand there, two columns (accuracy, macro recall) a number of labels, mean ±
/// standard deviation over seeds in percent, of the last model; then the same of the model that was
/// best on validation. Cells say how many seeds they are of where that differs from the rest, and
/// runs that are missing leave a dash. The caption tells budget and number of runs.
std::string results_markdown(const nlohmann::ordered_json& results);

/// Macro recall of the last models over the number of labels a class, mean over seeds, a line a
/// method; nullopt where runs have fewer than two numbers of labels (all labels are none).
std::optional<Chart> results_chart(const nlohmann::ordered_json& results);

}  // namespace fer
