// What a sweep needs to know of the command that it runs.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "report/results_page.h"
#include "sweep/experiment.h"
#include "sweep/sweep.h"

namespace fer {

class SweepKind {
 public:
  virtual ~SweepKind() = default;

  /// Throws std::runtime_error where the data lacks what the run or its measurement needs: found
  /// before the first run, it costs none.
  virtual void require_data(const ExperimentRun& run) const = 0;
  /// `fer`'s arguments for a run that keeps everything in this folder.
  virtual std::vector<std::string> arguments(const ExperimentRun& run,
                                             const std::filesystem::path& folder) const = 0;
  /// The command as somebody would type it elsewhere: without paths of this machine.
  virtual std::string public_command(const ExperimentRun& run) const = 0;
  virtual bool succeeded(int status) const { return status == 0; }
  /// What a run that ended left in its folder, as an entry of the results; without "command" and
  /// "init".
  virtual nlohmann::ordered_json measure(const ExperimentRun& run,
                                         const std::filesystem::path& folder) const = 0;
  /// Keys of an entry that the table cannot do without: those of texts, and those of numbers.
  virtual std::vector<std::string> texts() const = 0;
  virtual std::vector<std::string> numbers() const = 0;
  /// A result in a line's half, for people.
  virtual std::string summary(const nlohmann::ordered_json& entry) const = 0;
  /// Where the data came from.
  virtual std::string data_source() const = 0;
  /// The table for people.
  virtual std::string markdown(const nlohmann::ordered_json& results) const = 0;
  /// The same to look at, for print; nullopt: there is nothing to draw.
  virtual std::optional<Chart> chart(const nlohmann::ordered_json&) const { return {}; }
  /// What its page shows.
  virtual ResultsView view() const = 0;
};

/// `fer train`, measured on split test. Throws std::runtime_error where the data cannot be read.
std::unique_ptr<SweepKind> make_training_sweep(const SweepSettings& settings);

/// `fer adapt`, measured by what it watched. Throws std::runtime_error as above, and where
/// settings.source is not named.
std::unique_ptr<SweepKind> make_adaptation_sweep(const SweepSettings& settings);

}  // namespace fer
