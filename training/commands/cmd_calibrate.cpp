#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "commands/finite_range.h"
#include "evaluation/fit_calibration.h"
#include "evaluation/labelled_logits.h"
#include "evaluation/measures.h"
#include "model/stored_model.h"
#include "network/model_file.h"
#include "terminal/output_files.h"
#include "terminal/progress.h"

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path model, out;
  std::string split = "valid";
  CalibrationTarget target = CalibrationTarget::kLabels;
  double prior_correction = kModelsPriorCorrection;
  double precision = 0.7;
  int folds = 5;
  std::uint64_t seed = 0;
};

/// Fewer labelled faces of a class than this say nothing about its bias.
constexpr double kMinFaces = 10;

/// The classes that a bias could not be fitted for.
std::string rare_classes(const CalibrationData& data, const std::vector<std::string>& labels) {
  std::vector<double> faces(labels.size());
  for (std::size_t i = 0; i < data.targets.size(); ++i) faces[i % labels.size()] += data.targets[i];
  std::string rare;
  for (std::size_t k = 0; k < labels.size(); ++k)
    if (faces[k] < kMinFaces) rare += (rare.empty() ? "" : ", ") + labels[k];
  return rare;
}

/// The share of each class in the data, which a fitted bias assumes; never 0.
std::vector<float> shares_of(const CalibrationData& data) {
  std::vector<float> shares(data.classes);
  const auto faces = static_cast<float>(data.size());
  for (std::size_t i = 0; i < data.targets.size(); ++i)
    shares[i % data.classes] += data.targets[i] / faces;
  return shares;
}

/// The prior of the plain outputs, where an earlier calibration replaced it.
void restore_prior(ModelInfo& info) {
  if (!info.provenance.is_object()) return;
  const nlohmann::json earlier = info.provenance.value("calibration", nlohmann::json());
  if (!earlier.is_object() || !earlier.contains("prior_before")) return;
  const auto prior = earlier["prior_before"].get<std::vector<float>>();
  if (prior.size() == info.prior.size()) info.prior = prior;
}

Measures measured(const LabelledLogits& faces, const std::vector<float>& logits,
                  const ModelInfo& model, double prior_correction) {
  const Predictions p = predictions_from(faces, logits, model, prior_correction);
  return measure(p, clusters_by_person(p), {.resamples = 0});
}

nlohmann::json figures_of(const Measures& m) {
  return {{"accuracy", m.accuracy.value},
          {"macro_recall", m.macro_recall.value},
          {"nll", m.nll.value},
          {"brier", m.brier.value},
          {"ece_equal_mass", m.ece_equal_mass.value},
          {"ece_equal_width", m.ece_equal_width.value}};
}

void print_row(const char* name, const Measures& m) {
  std::printf("%-26s %8.2f %% %8.2f %% %8.4f %8.4f %8.4f\n", name, m.accuracy.value * 100,
              m.macro_recall.value * 100, m.nll.value, m.brier.value, m.ece_equal_mass.value);
}

void print(const ModelInfo& info, const CalibrationChoice& choice, const Measures& before,
           const Measures& after, double precision) {
  std::printf("temperature  %.4f\n", info.calibration.temperature);
  std::printf("bias         ");
  if (info.calibration.bias.empty()) {
    std::printf(
        "none: it lowers the cross entropy of held-out faces by %.4f, with a standard error "
        "of %.4f",
        choice.bias_gain, choice.bias_gain_error);
  }
  for (std::size_t k = 0; k < info.calibration.bias.size(); ++k) {
    std::printf("%s%s %+.3f", k == 0 ? "" : ", ", info.labels[k].c_str(),
                static_cast<double>(info.calibration.bias[k]));
  }
  std::printf("\n%-26s %10s %10s %8s %8s %8s\n", "", "accuracy", "macro", "NLL", "Brier", "ECE");
  print_row("before", before);
  print_row("after, faces held out", after);
  std::printf("the least probability at which predictions are right in at least %g of 100 cases:\n",
              precision * 100);
  for (std::size_t k = 0; k < info.labels.size(); ++k) {
    const float point = info.operating_points[k];
    if (std::isinf(point)) {
      std::printf("  %-12s none is high enough\n", info.labels[k].c_str());
    } else {
      std::printf("  %-12s %.3f\n", info.labels[k].c_str(), static_cast<double>(point));
    }
  }
}

void run(const Options& o) {
  require_outputs({o.out}, {o.model, o.data});
  ModelFile model = read_model(o.model);
  const bool bf16 = is_stored_in_bf16(o.model);
  const std::string from = model.info.version;
  // An earlier calibration is replaced, not added to.
  model.info.calibration = {};
  restore_prior(model.info);
  if (o.prior_correction >= 0) model.info.prior_correction = o.prior_correction;
  const Classifier plain(model, Precision::kFp32);

  ReadOptions read = o.read_options();
  read.split = o.split;
  const DataSource source(o.data, o.align, model.info.crops(), read);
  Progress progress("classifying");
  const LabelledLogits faces =
      labelled_logits(plain, o.model.string(), source.data(), o.data.string(), o.split, o.target,
                      [&](std::size_t done, std::size_t all) {
                        progress.update(static_cast<double>(done), static_cast<double>(all));
                      });
  progress.clear();

  const std::string rare = rare_classes(faces.data, model.info.labels);
  if (!rare.empty()) {
    std::fprintf(stderr, "note: no bias is fitted: there are fewer than %g faces of %s\n",
                 kMinFaces, rare.c_str());
  }
  const CalibrationChoice choice =
      choose_calibration(faces.data, o.folds, o.seed, /*allow_bias=*/rare.empty());
  const double correction = model.info.prior_correction;
  const Measures before = measured(faces, faces.data.logits, model.info, correction);
  model.info.calibration = choice.calibration;
  const std::vector<float> prior_before = model.info.prior;
  if (!choice.calibration.bias.empty()) model.info.prior = shares_of(faces.data);
  const Measures after = measured(faces, choice.held_out, model.info, correction);
  model.info.operating_points = operating_points(
      predictions_from(faces, choice.held_out, model.info, correction), o.precision);
  if (!model.info.provenance.is_object()) model.info.provenance = nlohmann::json::object();
  model.info.provenance["calibration"] = {
      {"of", from},
      {"data", source.data().info().source},
      {"split", o.split},
      {"faces", faces.data.size()},
      {"target", o.target == CalibrationTarget::kVotes ? "votes" : "labels"},
      {"folds", o.folds},
      {"seed", o.seed},
      {"prior_before", prior_before},
      {"before", figures_of(before)},
      {"held_out", figures_of(after)},
      {"bias_gain", choice.bias_gain},
      {"bias_gain_error", choice.bias_gain_error},
      {"operating_precision", o.precision}};
  write_model(o.out, model, bf16);
  print(model.info, choice, before, after, o.precision);
  std::printf("%s: version %s, calibrated on %zu faces of %s, split %s; prior correction %g\n",
              o.out.c_str(), model.info.version.c_str(), faces.data.size(), o.data.c_str(),
              o.split.c_str(), correction);
}

}  // namespace

void add_calibrate(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "calibrate",
      "Make a model's probabilities believable: fit a temperature, and a bias per class where that "
      "pays, on faces that it was not trained on.");
  c->add_option("--model", o->model, "The model file to read")
      ->required()
      ->check(CLI::ExistingFile);
  o->add_to(*c, /*shape=*/false);
  o->add_max_unreadable(*c);
  c->add_option("--split", o->split, "Fit on this split")->capture_default_str();
  c->add_option("--out", o->out, "The model file to write")->required();
  const std::map<std::string, CalibrationTarget> targets{{"labels", CalibrationTarget::kLabels},
                                                         {"votes", CalibrationTarget::kVotes}};
  c->add_option("--target", o->target,
                "What a probability is to be: labels: that of the majority label; votes: the share "
                "of the votes")
      ->transform(CLI::CheckedTransformer(targets, CLI::ignore_case))
      ->default_str("labels");
  c->add_option("--prior-correction", o->prior_correction,
                "Write this into the file as what serving divides by where nobody asks for "
                "another; otherwise as the file has it")
      ->check(finite_range(0, 1));
  c->add_option("--precision-target", o->precision,
                "Operating points: the share of a class's predictions that must be right")
      ->check(finite_range(0.01, 0.999))
      ->capture_default_str();
  c->add_option("--folds", o->folds, "Folds of the cross-validation")
      ->check(CLI::Range(2, 100))
      ->capture_default_str();
  c->add_option("--seed", o->seed, "Seed of the folds")->check(seed_range())->capture_default_str();
  c->callback([o] { run(*o); });
}

}  // namespace fer
