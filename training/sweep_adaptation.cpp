#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "adaptation_table.h"
#include "build_info.h"
#include "interrupt.h"
#include "joined.h"
#include "learn/packed_dataset.h"
#include "sweep_kind.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

/// What `fer adapt --json` leaves in a run's folder.
constexpr const char* kOutcome = "adapted.json";

class AdaptationSweep : public SweepKind {
 public:
  explicit AdaptationSweep(const SweepSettings& settings)
      : settings_(settings), stream_(settings.data) {
    if (settings.source.empty()) {
      throw std::runtime_error(
          "a sweep of adaptations needs --source, labelled faces of the kind that the model was "
          "trained on");
    }
  }

  std::vector<std::string> arguments(const ExperimentRun& run,
                                     const fs::path& folder) const override {
    std::vector<std::string> all{"adapt"};
    if (!names_input(run)) all.insert(all.end(), {"--input", settings_.data.string()});
    all.insert(all.end(),
               {"--target", settings_.data.string(), "--source", settings_.source.string()});
    all.insert(all.end(), run.options.begin(), run.options.end());
    all.insert(all.end(),
               {"--threads", std::to_string(settings_.threads), "--out",
                (folder / "adapted.fer").string(), "--json", (folder / kOutcome).string()});
    return all;
  }

  std::string public_command(const ExperimentRun& run) const override {
    const std::string data = settings_.data.filename().string();
    return "fer adapt " + (names_input(run) ? "" : "--input " + data + " ") + "--target " + data +
           " --source " + settings_.source.filename().string() + " " + joined(run.options, " ") +
           " --out " + run.name + ".fer";
  }

  /// A learner that finds nothing better has a result, too.
  bool succeeded(int status) const override { return status == kDone || status == kNothingBetter; }

  json measure(const ExperimentRun& run, const fs::path& folder) const override {
    std::ifstream file(folder / kOutcome);
    const auto outcome = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!outcome.is_object() || outcome["watched"].empty())
      throw std::runtime_error((folder / kOutcome).string() + ": expected what fer adapt wrote");
    const auto& watched = outcome["watched"];
    double worst_target = 1, worst_source = 1;
    for (const auto& look : watched) {
      worst_target = std::min(worst_target, look["target"]["macro_recall"].get<double>());
      worst_source = std::min(worst_source, look["source"]["accuracy"].get<double>());
    }
    const auto& before = watched.front();
    const auto& after = watched.back();
    json entry{{"variant", run.method},
               {"order", run.order},
               {"seed", run.seed},
               {"target_before", before["target"]["macro_recall"]},
               {"target_after", after["target"]["macro_recall"]},
               {"target_worst", worst_target},
               {"target_accuracy_before", before["target"]["accuracy"]},
               {"target_accuracy_after", after["target"]["accuracy"]},
               {"target_recall_after", after["target"]["recall"]},
               {"source_before", before["source"]["accuracy"]},
               {"source_after", after["source"]["accuracy"]},
               {"source_worst", worst_source},
               {"source_macro_recall_before", before["source"]["macro_recall"]},
               {"source_macro_recall_after", after["source"]["macro_recall"]},
               {"steps", outcome["steps"]}};
    const bool learner = outcome.contains("stats");  // Tent decides nothing
    for (const char* count : {"promotions", "rollbacks"})
      entry[count] = learner ? json(outcome["stats"][count]) : json();
    entry["model"] = outcome["source_version"];
    entry["commit"] = FER_COMMIT;
    return entry;
  }

  std::string summary(const json& entry) const override {
    char text[128];
    std::snprintf(
        text, sizeof text, "target %.2f -> %.2f %% (worst %.2f), source %.2f -> %.2f %%",
        100 * entry["target_before"].get<double>(), 100 * entry["target_after"].get<double>(),
        100 * entry["target_worst"].get<double>(), 100 * entry["source_before"].get<double>(),
        100 * entry["source_after"].get<double>());
    return text;
  }

  std::string data_source() const override { return stream_.info().source; }
  std::string markdown(const json& results) const override { return adaptation_markdown(results); }

 private:
  /// Whether the run adapts to something else than the sweep's data.
  static bool names_input(const ExperimentRun& run) {
    return std::find(run.options.begin(), run.options.end(), "--input") != run.options.end();
  }

  const SweepSettings& settings_;
  const PackedDataset stream_;
};

}  // namespace

std::unique_ptr<SweepKind> make_adaptation_sweep(const SweepSettings& settings) {
  return std::make_unique<AdaptationSweep>(settings);
}

}  // namespace fer
