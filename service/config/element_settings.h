// Properties of GStreamer elements as a file names them: checked before anything runs.
#pragma once

#include <gst/gst.h>

#include <toml++/toml.h>
#include <set>
#include <string>
#include <vector>

#include "config/problems.h"

namespace fer {

/// A property and its value as text.
struct ElementSetting {
  std::string property, value;
  bool operator==(const ElementSetting&) const = default;
};
using ElementSettings = std::vector<ElementSetting>;

/// The keys of a table as properties of the element `factory`. Problems: an unknown property, a
/// value of another type or beyond its range, and one of `ours`, which the service sets itself.
/// `name`: of the table for messages.
ElementSettings read_settings(const toml::table& table, const char* factory,
                              const std::string& name, const std::set<std::string>& ours,
                              std::vector<Problem>& problems);

/// Why the property does not take the value, as words that follow a colon; empty where it does.
std::string why_not(const char* factory, const std::string& property, const std::string& value);

/// Sets what read_settings() gave.
void apply(const ElementSettings& settings, GstElement* element);

}  // namespace fer
