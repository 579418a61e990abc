// What runs, as JSON for the page.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fleet/fleet.h"

namespace fer {

/// Cameras, slots and learners as they are now; docs/reference/run.md lists the fields.
nlohmann::json state_json(const Fleet& fleet);

/// "#rrggbb" of each label, as the overlay draws it.
nlohmann::json colours_json(const std::vector<std::string>& labels);

nlohmann::json event_json(const SlotEvent& event);
nlohmann::json seconds_json(const std::vector<ExpressionTimeline::Second>& seconds);

/// Whether every camera plays, or is at its end.
bool is_ready(const Fleet& fleet);

}  // namespace fer
