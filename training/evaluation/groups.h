// Figures group by group: on whom a model does worse.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "evaluation/measures.h"
#include "evaluation/predictions.h"
#include "learn/data/packed_dataset.h"

namespace fer {

/// What divides faces into groups.
struct Grouping {
  std::string column = {};  ///< A column of the data.
  int name_field = 0;  ///< From 1: this part of the image's name, cut at each '_'; 0: the column.
  /// Values are numbers, and groups are the ranges between these: 18,60 makes "below 18",
  /// "18 to below 60" and "60 and above". Empty: each value is a group.
  std::vector<double> edges = {};

  explicit operator bool() const { return !column.empty() || name_field > 0; }
  /// What its groups differ in, for people: `age`, or "part 1 of the name".
  std::string name() const;
};

/// The group of each of the rows; empty where the row has no value. Throws std::runtime_error, with
/// the data's and the row's name in it, for a column that is not there, names that are not known, a
/// name of fewer parts, and what should be a number and is none.
std::vector<std::string> groups_of(const PackedDataset& data, const std::vector<std::size_t>& rows,
                                   const Grouping& grouping);

struct GroupMeasures {
  std::string group;
  Measures measures;
  Differences to_rest;  ///< This group minus the faces of all others.
};

/// Figures of each group, in the order of `edges` or of the groups' names (numbers by size). Faces
/// without a group count nowhere. Throws std::runtime_error where no face has a group, or there are
/// more than 50.
std::vector<GroupMeasures> measure_groups(const Predictions& predictions,
                                          const std::vector<std::string>& groups,
                                          const Grouping& grouping, const Clusters& clusters,
                                          const BootstrapSettings& settings);

}  // namespace fer
