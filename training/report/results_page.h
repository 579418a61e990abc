// What an experiment found, as a page.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/page/chart.h"

namespace fer {

/// How the runs of an experiment are looked at.
struct ResultsView {
  std::string group;  ///< The key by whose values runs are grouped, as they come.
  std::vector<std::pair<std::string, std::string>> measures;  ///< Keys of shares, and their names.
};

/// The page of an experiment's `results` (see results_markdown()): of each measure the mean of each
/// group with its standard deviation, `chart`, if any, and all runs. Of runs with a
/// "labels_per_class", each number of labels is a group of its own. Throws as
/// require_chart_library() does.
std::string results_page(const nlohmann::ordered_json& results, const ResultsView& view,
                         const std::optional<Chart>& chart);

}  // namespace fer
