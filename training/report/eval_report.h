// What `fer eval` tells, as text and as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "evaluation/bootstrap.h"
#include "evaluation/evaluation.h"
#include "evaluation/groups.h"
#include "evaluation/measures.h"

namespace fer {

/// The model's figures under another prior correction.
struct PriorCorrectionRow {
  double correction = 0;
  Measures measures;
  Differences to_given;  ///< This correction minus the one that was evaluated.
};

/// Another model on the same faces.
struct ComparedModel {
  std::string name;
  Measures measures;
  Differences difference;  ///< The evaluated model minus this one.
};

struct EvalReport {
  // What was evaluated, and how.
  std::string model, network, version, precision;
  std::string data, split, align;
  double prior_correction = 0;
  std::size_t unreadable = 0;
  Evaluation evaluation;

  // Its figures.
  Measures measures;
  std::string resampled;     ///< "images" or "persons".
  std::size_t clusters = 0;  ///< How many there are of these.
  BootstrapSettings bootstrap;

  // What was asked for besides; empty: it was not.
  std::vector<ComparedModel> compared;
  std::vector<PriorCorrectionRow> corrections;
  std::string grouping;  ///< What the groups differ in.
  std::vector<GroupMeasures> groups;
};

std::string eval_text(const EvalReport& report);
nlohmann::json eval_json(const EvalReport& report);

}  // namespace fer
