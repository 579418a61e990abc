// Classes go by several names: "happy" is "happiness".
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "model/labels.h"

namespace fer {

/// The usual name of an expression; other names as they are.
inline std::string common_name(const std::string& label) {
  return canonical_label(label).value_or(label);
}

/// The place of a class among others by its usual name; -1: it is none of them.
inline int class_index(const std::vector<std::string>& classes, const std::string& name) {
  const auto it = std::find_if(classes.begin(), classes.end(), [&](const std::string& known) {
    return common_name(known) == common_name(name);
  });
  return it == classes.end() ? -1 : static_cast<int>(it - classes.begin());
}

}  // namespace fer
