// An experiment: a grid of runs, as a file describes it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace fer {

/// One cell of the grid with one seed.
struct ExperimentRun {
  std::string name;  ///< Of its folder: "dta-snl-25-seed1", "tent-persons-seed1".
  std::string method;
  int labels_per_class = 0;  ///< Of trainings; 0: all labels there are.
  std::string pool;          ///< Of trainings: of the unlabelled faces; empty: there is one alone.
  std::string order;         ///< Of adaptations: of the stream.
  std::uint64_t seed = 0;
  std::vector<std::string> options;  ///< For the command, without data, folder and threads.
};

/// What the runs do.
enum class ExperimentCommand { kTrain, kAdapt };

struct Experiment {
  std::string name;  ///< Of the file, without its ending.
  ExperimentCommand command = ExperimentCommand::kTrain;
  std::string about;              ///< A sentence for people.
  nlohmann::ordered_json budget;  ///< Options that all runs share, by name.
  std::vector<ExperimentRun> runs;
};

/// Reads a JSON object with these members:
/// - "about": a sentence for people;
/// - "command": "train" or "adapt"; without it "train";
/// - "budget": options of `fer train` or `fer adapt` that all runs share, without the dashes:
///   {"steps": 3000}; "init" (of train) or "model" (of adapt) names the model that all start from;
/// - "methods": the rows of the table by name, each with the options that make it, a list for an
///   option that is given several times: {"dta-snl": {"method": "dta-snl"}};
/// - "labels_per_class" (of train): numbers, 0 for all labels;
/// - "pools" (of train, optional): where the unlabelled faces come from, by name, each with the
///   options that make it: {"wild": {"unlabeled": "stream.packed", "only-unlabeled": true}};
/// - "orders" (of adapt): orders of the stream, as `fer adapt --order` names them;
/// - "seeds": numbers; those of adapt draw the order, too.
/// No list holds anything twice. Throws std::runtime_error with file, member and what was expected.
Experiment read_experiment(const std::filesystem::path& path);

}  // namespace fer
