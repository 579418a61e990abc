#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "evaluation/fit_calibration.h"
#include "evaluation/labelled_logits.h"
#include "evaluation/measures.h"
#include "model/atomic_file.h"
#include "model/foreign/foreign_model.h"
#include "model/foreign/onnx_path.h"
#include "model/stored_model.h"
#include "network/model_file.h"
#include "network/torch_weights.h"
#include "program/choices.h"
#include "program/finite_range.h"
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

/// What was fitted, and on which faces.
struct Fitted {
  CalibrationChoice choice;
  std::vector<float> prior_before;
  Measures before, after;
  std::size_t faces = 0;
  std::string source;  ///< Of the data.
};

/// Fits calibration, prior and operating points of `info`, whose outputs `plain` gives without any.
Fitted fit(const Options& o, const Classifier& plain, ModelInfo& info) {
  if (o.prior_correction >= 0) info.prior_correction = o.prior_correction;
  ReadOptions read = o.read_options();
  read.split = o.split;
  const DataSource source(o.data, o.align, info.crops(), read);
  Progress progress("classifying");
  const LabelledLogits faces =
      labelled_logits(plain, o.model.string(), source.data(), o.data.string(), o.split, o.target,
                      [&](std::size_t done, std::size_t all) {
                        progress.update(static_cast<double>(done), static_cast<double>(all));
                      });
  progress.clear();

  const std::string rare = rare_classes(faces.data, info.labels);
  if (!rare.empty()) {
    std::fprintf(stderr, "note: no bias is fitted: there are fewer than %g faces of %s\n",
                 kMinFaces, rare.c_str());
  }
  Fitted fitted;
  fitted.choice = choose_calibration(faces.data, o.folds, o.seed, /*allow_bias=*/rare.empty());
  fitted.prior_before = info.prior;
  fitted.faces = faces.data.size();
  fitted.source = source.data().info().source;
  const double correction = info.prior_correction;
  fitted.before = measured(faces, faces.data.logits, info, correction);
  info.calibration = fitted.choice.calibration;
  if (!info.calibration.bias.empty()) info.prior = shares_of(faces.data);
  fitted.after = measured(faces, fitted.choice.held_out, info, correction);
  info.operating_points = operating_points(
      predictions_from(faces, fitted.choice.held_out, info, correction), o.precision);
  return fitted;
}

void report(const Options& o, const ModelInfo& info, const Fitted& fitted) {
  print(info, fitted.choice, fitted.before, fitted.after, o.precision);
  std::printf("%s: version %s, calibrated on %zu faces of %s, split %s; prior correction %g\n",
              o.out.c_str(), info.version.c_str(), fitted.faces, o.data.c_str(), o.split.c_str(),
              info.prior_correction);
}

/// The network stays as it is; its description gets what was fitted.
void calibrate_onnx(const Options& o) {
  if (o.out.extension() != ".json") {
    throw std::runtime_error(o.out.string() +
                             ": expected a path that ends in .json, for the description of " +
                             o.model.string());
  }
  require_outputs({o.out}, {o.model, o.data});
  ForeignModel model = read_foreign_model(o.model);
  if (!model.info.calibration.is_identity()) {
    throw std::runtime_error(onnx_description_path(o.model).string() +
                             ": calibration: expected none, found one; calibrate from a "
                             "description without it, and with the prior of the training data");
  }
  const Fitted fitted = fit(o, *Classifier::open(o.model, Precision::kFp32), model.info);
  model.description.calibration = model.info.calibration;
  model.description.prior_correction = model.info.prior_correction;
  model.description.operating_points = model.info.operating_points;
  if (!model.description.calibration.bias.empty() || model.info.prior_correction > 0)
    model.description.prior = model.info.prior;
  const std::string text = description_text(model.description, model.plan);
  write_atomically(o.out, {text});
  model.info.version = foreign_version(model.bytes, text);
  report(o, model.info, fitted);
}

void run(const Options& o) {
  if (is_onnx_path(o.model)) return calibrate_onnx(o);
  require_outputs({o.out}, {o.model, o.data});
  ModelFile model = read_model(o.model);
  const bool bf16 = is_stored_in_bf16(o.model);
  const std::string from = model.info.version;
  // An earlier calibration is replaced, not added to.
  model.info.calibration = {};
  restore_prior(model.info);
  const Fitted fitted = fit(o, Classifier(to_stored(model), Precision::kFp32), model.info);
  if (!model.info.provenance.is_object()) model.info.provenance = nlohmann::json::object();
  model.info.provenance["calibration"] = {
      {"of", from},
      {"data", fitted.source},
      {"split", o.split},
      {"faces", fitted.faces},
      {"target", o.target == CalibrationTarget::kVotes ? "votes" : "labels"},
      {"folds", o.folds},
      {"seed", o.seed},
      {"prior_before", fitted.prior_before},
      {"before", figures_of(fitted.before)},
      {"held_out", figures_of(fitted.after)},
      {"bias_gain", fitted.choice.bias_gain},
      {"bias_gain_error", fitted.choice.bias_gain_error},
      {"operating_precision", o.precision}};
  write_model(o.out, model, bf16);
  report(o, model.info, fitted);
}

}  // namespace

void add_calibrate(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("calibrate");
  c->add_option("--model", o->model, "The model file to read")
      ->required()
      ->check(CLI::ExistingFile);
  o->add_to(*c, /*shape=*/false);
  o->add_max_unreadable(*c);
  c->add_option("--split", o->split, "Fit on this split")->capture_default_str();
  c->add_option("--out", o->out,
                "The model file to write; of an ONNX network, its description (.json)")
      ->required();
  const std::map<std::string, CalibrationTarget> targets{{"labels", CalibrationTarget::kLabels},
                                                         {"votes", CalibrationTarget::kVotes}};
  c->add_option("--target", o->target,
                "What a probability is to be: labels: that of the majority label; votes: the share "
                "of the votes")
      ->transform(choices(targets))
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
