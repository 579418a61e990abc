#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <utility>

#include "evaluation/evaluation.h"
#include "evaluation/feature_evaluation.h"
#include "evaluation/prediction_csv.h"
#include "learn/data/packed_dataset.h"
#include "learn/features/feature_file.h"
#include "report/report_text.h"
#include "report/results_table.h"
#include "report/training_report.h"
#include "sweep/sweep_kind.h"
#include "util/join.h"

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

  void require_data(const ExperimentRun& run) const override {
    data_.rows("train");
    const auto given = [&](const char* option) {
      return std::find(run.options.begin(), run.options.end(), option) != run.options.end();
    };
    if (!given("--valid")) data_.rows("valid");
    // What a model will be that is trained on the data.
    const PackedInfo& info = data_.info();
    ModelInfo model;
    model.network.channels = info.crops.channels;
    model.network.input_size = info.crops.side;
    model.labels = info.labels;
    model.align_template = info.crops.align_template;
    if (has_features(data_)) {
      data_.rows("test");
      return;
    }
    const std::string name = "a model of " + settings_.data.string();
    require_measurable(model, data_, settings_of(name, settings_.data, "test", {}));
    if (!also_) return;
    require_measurable(
        model, *also_,
        settings_of(name, settings_.also, settings_.also_split, settings_.also_classes));
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
           join(run.options, " ") + " --out " + run.name;
  }

  json measure(const ExperimentRun& run, const fs::path& folder) const override {
    json entry{
        {"method", run.method}, {"labels_per_class", run.labels_per_class}, {"seed", run.seed}};
    if (!run.pool.empty()) entry["pool"] = run.pool;
    if (has_features(data_)) {
      measure_on_features(folder, entry);
      add_log(folder, entry);
      return entry;
    }
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
    add_log(folder, entry);
    return entry;
  }

  std::vector<std::string> texts() const override { return {"method"}; }
  std::vector<std::string> numbers() const override { return {"labels_per_class"}; }

  std::string summary(const json& entry) const override {
    char text[96];
    std::snprintf(text, sizeof text, "accuracy %.2f %%, macro recall %.2f %% on test",
                  100 * entry["accuracy"].get<double>(), 100 * entry["macro_recall"].get<double>());
    return text;
  }

  std::string data_source() const override { return data_.info().source; }
  std::string markdown(const json& results) const override { return results_markdown(results); }
  std::optional<Chart> chart(const json& results) const override { return results_chart(results); }
  ResultsView view() const override {
    return {"method",
            {{"macro_recall", "macro recall"},
             {"accuracy", "accuracy"},
             {"also_macro_recall", "macro recall on the other domain"}}};
  }

 private:
  /// The scores of last.fer and best.fer on split test at the constant prior correction that is
  /// best on split valid, and as they are ("_plain"); of last.fer the whole curve, so that methods
  /// can be compared at the same accuracy, and test.csv in the run's folder, face by face.
  void measure_on_features(const fs::path& folder, json& entry) const {
    for (const auto& [file, suffix] : {std::pair{"last.fer", ""}, {"best.fer", "_best"}}) {
      const SplitLogits valid = split_logits(folder / file, data_, "valid");
      const SplitLogits test = split_logits(folder / file, data_, "test");
      const std::vector<double> mix = mix_of(valid);
      const auto on_valid = correction_curve(valid, mix), on_test = correction_curve(test, mix);
      const CorrectedScore chosen = best_correction(on_valid);
      const Confusion confusion = corrected_confusion(test, mix, chosen.gamma);
      const auto put = [&](const std::string& key, double value) {
        entry[key + std::string(suffix)] = value;
      };
      put("accuracy", confusion.accuracy());
      put("macro_recall", confusion.macro_recall());
      put("correction", chosen.gamma);
      put("valid_accuracy", chosen.accuracy);
      put("valid_macro_recall", chosen.macro_recall);
      put("accuracy_plain", on_test.front().accuracy);
      put("macro_recall_plain", on_test.front().macro_recall);
      if (*suffix) continue;
      if (!test.images.empty()) write_predictions(folder / "test.csv", predictions_of(test));
      entry["recall"] = json::parse(confusion.to_json()["recall"].dump());
      for (std::size_t i = 0; i < on_test.size(); ++i) {
        entry["curve"].push_back({{"correction", on_test[i].gamma},
                                  {"valid_accuracy", on_valid[i].accuracy},
                                  {"valid_macro_recall", on_valid[i].macro_recall},
                                  {"accuracy", on_test[i].accuracy},
                                  {"macro_recall", on_test[i].macro_recall}});
      }
    }
  }

  /// What the run's log and record say of its pseudo-labels, in the last epoch.
  static void add_log(const fs::path& folder, json& entry) {
    const RunLog log = read_run(folder);
    const nlohmann::json& last = log.epochs.back();
    for (const char* key : {"accept_rate", "purity"}) {
      const double value = number_of(last, key);
      entry[key] = std::isfinite(value) ? json(value) : json();
    }
    if (last.contains("coverages") && last.contains("purities")) {
      // Of each class: how many of its faces are accepted as it, times how many that are accepted
      // as it are of it.
      double sum = 0;
      for (const auto& [label, coverage] : last["coverages"].items()) {
        const nlohmann::json& purity = last["purities"].at(label);
        const bool known = coverage.is_number() && purity.is_number();
        const double both = known ? coverage.get<double>() * purity.get<double>() : 0;
        entry["precision_times_coverage_by_class"][label] = both;
        sum += both;
      }
      entry["precision_times_coverage"] = sum / static_cast<double>(last["coverages"].size());
    }
    const nlohmann::json gate =
        log.settings.is_object() ? log.settings.value("gate", nlohmann::json()) : nlohmann::json();
    double passed = 1;
    if (gate.is_object()) {
      const auto share = [&](const char* kept, const char* all) {
        const auto n = gate.at(all).get<double>();
        return n > 0 ? gate.at(kept).get<double>() / n : 1;
      };
      passed = share("distractors_kept", "distractors");
      entry["gate"] = {{"faces_kept", share("unlabelled_kept", "unlabelled")},
                       {"distractors_kept", passed}};
    }
    const double accepted = number_of(last, "distractors_accepted");
    if (std::isfinite(accepted)) {
      entry["distractors_accepted"] = accepted * passed;
    } else if (gate.is_object() && gate.at("distractors").get<double>() > 0) {
      // None was left to be accepted.
      entry["distractors_accepted"] = 0;
    }
    entry["device"] = device_of(log.settings, folder / "run.json");
    entry["wall_s"] = number_of(last, "seconds");
    entry["commit"] = log.settings.is_object() && log.settings.contains("commit")
                          ? json(log.settings["commit"])
                          : json();
  }

  /// What the run was computed on, as its record says; null where there is none.
  static json device_of(const nlohmann::json& record, const fs::path& file) {
    if (!record.is_object() || !record.contains("options")) return json();
    const nlohmann::json& options = record["options"];
    const nlohmann::json device =
        options.is_object() ? options.value("device", nlohmann::json("cpu")) : nlohmann::json();
    if (!device.is_string()) {
      throw std::runtime_error(file.string() +
                               ": expected \"options\" with the text \"device\", found " +
                               options.dump() + "; remove the run's folder");
    }
    return json(device);
  }

  static EvalSettings settings_of(const std::string& model, const fs::path& data,
                                  const std::string& split,
                                  const std::vector<std::string>& classes) {
    EvalSettings eval;
    eval.classes = classes;
    eval.split = split;
    eval.batch = 256;
    eval.model_name = model;
    eval.data_name = data.string();
    return eval;
  }

  /// What a model makes of a split.
  static Confusion confusion_of(const Classifier& model, const fs::path& path,
                                const PackedDataset& data, const fs::path& name,
                                const std::string& split, const std::vector<std::string>& classes) {
    return evaluate(model, data, settings_of(path.string(), name, split, classes),
                    [](std::size_t, std::size_t) {})
        .confusion;
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
