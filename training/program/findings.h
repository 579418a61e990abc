// What `fer doctor` finds. Each program looks at the libraries that it has.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace fer {

enum class Verdict {
  kGood,
  kNote,     ///< For information.
  kWarning,  ///< The main job runs, but not as well as it could.
  kFault,    ///< The main job does not run.
};

struct Finding {
  Verdict verdict;
  std::string what, found, remedy;  ///< `remedy` may be empty.
};

using Findings = std::vector<Finding>;

/// A list of {"what", "verdict", "found", "remedy"}.
nlohmann::json findings_json(const Findings& findings);

/// What findings_json() made, as text. Throws std::runtime_error for anything else.
Findings parse_findings(const std::string& text);

/// A line each, to standard output, with the remedy below.
void print_findings(const Findings& findings);

}  // namespace fer
