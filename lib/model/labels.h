// Names of expressions, and what others call them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "export.h"

namespace fer {

/// FER+'s eight, in FER+'s order: neutral, happiness, surprise, sadness, anger, disgust, fear,
/// contempt.
FER_API const std::vector<std::string>& ferplus_labels();

/// FER+'s name for a usual alias in any case ("happy", "Joy", "angry", "surprised", …); nullopt
/// where it names no expression that we know.
FER_API std::optional<std::string> canonical_label(std::string_view name);

}  // namespace fer
