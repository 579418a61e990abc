// What adaptations did, as a table for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace fer {

/// A Markdown table of the `results` of an experiment with "command": "adapt" ({"experiment",
/// "about", "budget", "runs": [{"variant", "order", "target_before", "target_after",
/// "target_worst", "source_before", "source_after", …}]}): a row a variant in the order in which
/// they first stand there, mean ± standard deviation over orders and seeds, in percent; then what
/// each gained on the target, order by order, where there are several.
std::string adaptation_markdown(const nlohmann::ordered_json& results);

}  // namespace fer
