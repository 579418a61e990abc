// An experiment: a grid of training runs, as a file describes it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace fer {

/// One cell of the grid with one seed.
struct ExperimentRun {
  std::string name;  ///< Of its folder: "dta-snl-25-seed1".
  std::string method;
  int labels_per_class = 0;  ///< 0: all labels there are.
  std::uint64_t seed = 0;
  std::vector<std::string> options;  ///< For `fer train`, without data, folder and threads.
};

struct Experiment {
  std::string name;               ///< Of the file, without its ending.
  std::string about;              ///< A sentence for people.
  nlohmann::ordered_json budget;  ///< Options of `fer train` that all runs share, by name.
  std::vector<ExperimentRun> runs;
};

/// Reads a JSON object with these members:
/// - "about": a sentence for people;
/// - "budget": options of `fer train` that all runs share, without the dashes: {"steps": 3000};
///   "init" among them names the model file that all start from;
/// - "methods": the rows of the table by name, each with the options that make it:
///   {"dta-snl": {"method": "dta-snl"}};
/// - "labels_per_class": numbers, 0 for all labels;
/// - "seeds": numbers.
/// Throws std::runtime_error with file, member and what was expected.
Experiment read_experiment(const std::filesystem::path& path);

}  // namespace fer
