#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "evaluation.h"
#include "joined.h"
#include "learn/packed_dataset.h"
#include "report_text.h"
#include "results_table.h"
#include "sweep_kind.h"
#include "training_report.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

class TrainingSweep : public SweepKind {
 public:
  explicit TrainingSweep(const SweepSettings& settings)
      : settings_(settings), data_(settings.data) {
    if (!settings.also.empty()) also_.emplace(settings.also);
  }

  std::vector<std::string> arguments(const ExperimentRun& run,
                                     const fs::path& folder) const override {
    std::vector<std::string> all{"train", "--labeled", settings_.data.string()};
    all.insert(all.end(), run.options.begin(), run.options.end());
    all.insert(all.end(),
               {"--threads", std::to_string(settings_.threads), "--out", folder.string()});
    return all;
  }

  std::string public_command(const ExperimentRun& run) const override {
    return "fer train --labeled " + settings_.data.filename().string() + " " +
           joined(run.options, " ") + " --out " + run.name;
  }

  json measure(const ExperimentRun& run, const fs::path& folder) const override {
    json entry{
        {"method", run.method}, {"labels_per_class", run.labels_per_class}, {"seed", run.seed}};
    for (const auto& [file, suffix] : {std::pair{"last.fer", ""}, {"best.fer", "_best"}}) {
      const fs::path path = folder / file;
      const auto model = Classifier::open(path, Precision::kFp32);
      const Confusion confusion = confusion_of(*model, path, data_, settings_.data, "test", {});
      entry[std::string("accuracy") + suffix] = confusion.accuracy();
      entry[std::string("macro_recall") + suffix] = confusion.macro_recall();
      if (!also_) continue;
      const Confusion other = confusion_of(*model, path, *also_, settings_.also,
                                           settings_.also_split, settings_.also_classes);
      entry[std::string("also_accuracy") + suffix] = other.accuracy();
      entry[std::string("also_macro_recall") + suffix] = other.macro_recall();
    }
    const RunLog log = read_run(folder);
    const nlohmann::json& last = log.epochs.back();
    for (const char* key : {"accept_rate", "purity"}) {
      const double value = number_of(last, key);
      entry[key] = std::isfinite(value) ? json(value) : json();
    }
    entry["device"] = log.settings.is_object() && log.settings.contains("options")
                          ? json(log.settings["options"].value("device", "cpu"))
                          : json();
    entry["wall_s"] = number_of(last, "seconds");
    entry["commit"] = log.settings.is_object() && log.settings.contains("commit")
                          ? json(log.settings["commit"])
                          : json();
    return entry;
  }

  std::string summary(const json& entry) const override {
    char text[96];
    std::snprintf(text, sizeof text, "accuracy %.2f %%, macro recall %.2f %% on test",
                  100 * entry["accuracy"].get<double>(), 100 * entry["macro_recall"].get<double>());
    return text;
  }

  std::string data_source() const override { return data_.info().source; }
  std::string markdown(const json& results) const override { return results_markdown(results); }
  std::string chart(const json& results) const override { return results_chart(results); }

 private:
  /// What a model makes of a split.
  static Confusion confusion_of(const Classifier& model, const fs::path& path,
                                const PackedDataset& data, const fs::path& name,
                                const std::string& split, const std::vector<std::string>& classes) {
    EvalSettings eval;
    eval.classes = classes;
    eval.split = split;
    eval.batch = 256;
    eval.model_name = path.string();
    eval.data_name = name.string();
    return evaluate(model, data, eval, [](std::size_t, std::size_t) {}).confusion;
  }

  const SweepSettings& settings_;
  const PackedDataset data_;
  std::optional<PackedDataset> also_;  ///< Of another domain.
};

}  // namespace

std::unique_ptr<SweepKind> make_training_sweep(const SweepSettings& settings) {
  return std::make_unique<TrainingSweep>(settings);
}

}  // namespace fer
