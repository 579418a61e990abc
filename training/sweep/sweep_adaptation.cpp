#include <algorithm>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "build_info.h"
#include "learn/data/packed_dataset.h"
#include "model/labels.h"
#include "report/adaptation_table.h"
#include "sweep/sweep_kind.h"
#include "terminal/interrupt.h"
#include "util/join.h"

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
    source_.emplace(settings.source);
  }

  void require_data(const ExperimentRun& run) const override {
    require_watchable(run, stream_, "target");
    require_watchable(run, *source_, "source");
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
           " --source " + settings_.source.filename().string() + " " + join(run.options, " ") +
           " --out " + run.name + ".fer";
  }

  /// A learner that finds nothing better has a result, too.
  bool succeeded(int status) const override { return status == kDone || status == kNothingBetter; }

  json measure(const ExperimentRun& run, const fs::path& folder) const override {
    std::ifstream file(folder / kOutcome);
    try {
      return entry_of(run, nlohmann::json::parse(file));
    } catch (const nlohmann::json::exception& error) {
      throw std::runtime_error((folder / kOutcome).string() +
                               ": expected what fer adapt wrote; remove the run's folder (" +
                               error.what() + ")");
    }
  }

  std::vector<std::string> texts() const override { return {"variant", "order"}; }
  std::vector<std::string> numbers() const override {
    return {"target_before", "target_after", "target_worst", "source_before", "source_after"};
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
  ResultsView view() const override {
    return {"variant",
            {{"target_before", "macro recall on the target before"},
             {"target_after", "macro recall on the target after"},
             {"target_worst", "macro recall on the target at worst"},
             {"source_after", "accuracy on the source after"}}};
  }

 private:
  /// Throws std::runtime_error where the run watches a split or classes that the data has not.
  static void require_watchable(const ExperimentRun& run, const PackedDataset& data,
                                const std::string& watched) {
    const auto value = [&](const std::string& option) {
      const auto found = std::find(run.options.begin(), run.options.end(), option);
      return found == run.options.end() ? std::string() : *(found + 1);
    };
    data.rows(value("--" + watched + "-split"));
    const std::string classes = value("--" + watched + "-classes");
    if (classes.empty()) return;
    const auto& labels = data.info().labels;
    const auto common = [](const std::string& name) {
      return canonical_label(name).value_or(name);
    };
    std::istringstream names(classes);
    for (std::string name; std::getline(names, name, ',');) {
      if (std::none_of(labels.begin(), labels.end(),
                       [&](const std::string& label) { return common(label) == common(name); })) {
        throw std::runtime_error(data.name() + ": expected labels of class \"" + name +
                                 "\", found those of " + join(labels));
      }
    }
  }

  static json entry_of(const ExperimentRun& run, const nlohmann::json& outcome) {
    const auto& watched = outcome.at("watched");
    double worst_target = 1, worst_source = 1;
    for (const auto& look : watched) {
      worst_target = std::min(worst_target, look.at("target").at("macro_recall").get<double>());
      worst_source = std::min(worst_source, look.at("source").at("accuracy").get<double>());
    }
    const auto& before = watched.at(0);
    const auto& after = watched.at(watched.size() - 1);
    json entry{{"variant", run.method},
               {"order", run.order},
               {"seed", run.seed},
               {"target_before", before.at("target").at("macro_recall")},
               {"target_after", after.at("target").at("macro_recall")},
               {"target_worst", worst_target},
               {"target_accuracy_before", before.at("target").at("accuracy")},
               {"target_accuracy_after", after.at("target").at("accuracy")},
               {"target_recall_after", after.at("target").at("recall")},
               {"source_before", before.at("source").at("accuracy")},
               {"source_after", after.at("source").at("accuracy")},
               {"source_worst", worst_source},
               {"source_macro_recall_before", before.at("source").at("macro_recall")},
               {"source_macro_recall_after", after.at("source").at("macro_recall")},
               {"steps", outcome.at("steps")}};
    const bool learner = outcome.contains("stats");  // Tent decides nothing
    for (const char* count : {"promotions", "rollbacks"})
      entry[count] = learner ? json(outcome.at("stats").at(count)) : json();
    entry["model"] = outcome.at("source_version");
    entry["commit"] = FER_COMMIT;
    return entry;
  }

  /// Whether the run adapts to something else than the sweep's data.
  static bool names_input(const ExperimentRun& run) {
    return std::find(run.options.begin(), run.options.end(), "--input") != run.options.end();
  }

  const SweepSettings& settings_;
  const PackedDataset stream_;
  std::optional<PackedDataset> source_;
};

}  // namespace

std::unique_ptr<SweepKind> make_adaptation_sweep(const SweepSettings& settings) {
  return std::make_unique<AdaptationSweep>(settings);
}

}  // namespace fer
