// Runs an experiment's grid and gathers what it found.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sweep/experiment.h"

namespace fer {

struct SweepSettings {
  std::filesystem::path program;  ///< `fer` itself.
  std::filesystem::path data;     ///< Packed dataset: of splits train, valid and test, or a stream.
  std::filesystem::path source;   ///< Of adaptations: labelled faces of what the model came from.
  std::filesystem::path also;     ///< Of trainings: another domain to measure on; empty: none.
  std::string also_split = "test";
  std::vector<std::string> also_classes;  ///< Empty: those that it has.
  std::filesystem::path runs;             ///< A folder a run is made in here.
  std::filesystem::path results;          ///< NAME.json, .md, maybe .html and .svg go here.
  int parallel = 1;                       ///< Runs side by side.
  int threads = 1;                        ///< Of each.
};

/// Runs what is not done yet, measures each run (see sweep_kind.h), and writes the results anew
/// after each; what stands there already, from the same command and start, is done. A run that was
/// stopped goes on where it was. Runs that fail, or whose result cannot be measured, are told on
/// stderr, the others go on. Returns the number of runs that failed. Throws std::runtime_error,
/// before the first run, where the data lacks a split or a class that is asked for, where a folder
/// holds a run with other options or from another start, or another sweep works there; Interrupted.
std::size_t run_sweep(const Experiment& experiment, const SweepSettings& settings);

}  // namespace fer
