#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "adaptation.h"
#include "commands.h"
#include "data_options.h"
#include "evaluation.h"
#include "joined.h"
#include "learn/module_run.h"
#include "model/atomic_file.h"
#include "model/model_file.h"
#include "progress.h"

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path model, out, json;
  std::vector<std::filesystem::path> inputs;
  OnlineLearner::Labelled labelled;
  std::string split;
  std::vector<std::string> without;
  OnlineConfig config;
  int max_steps = 0, threads = 0;
};

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void print(const LearnerStats& s) {
  std::printf("%-12s %10s %10s %9s\n", "label", "threshold", "accepted", "rate");
  for (const auto& c : s.classes) {
    std::printf("%-12s %10.3f %10llu %8.1f %%\n", c.label.c_str(), c.threshold,
                static_cast<unsigned long long>(c.accepted), c.accept_rate * 100);
  }
  std::string refused;
  for (const auto& [why, count] : s.refused)
    refused += (refused.empty() ? "" : ", ") + std::to_string(count) + " " + why;
  std::printf("faces        %llu learnt from%s%s\n", static_cast<unsigned long long>(s.faces),
              refused.empty() ? "" : "; refused: ", refused.c_str());
  std::printf(
      "steps        %llu, %llu promotions, %llu kept, %llu rolled back\n",
      static_cast<unsigned long long>(s.steps), static_cast<unsigned long long>(s.promotions),
      static_cast<unsigned long long>(s.kept), static_cast<unsigned long long>(s.rollbacks));
  std::printf("canary       macro recall %.2f %% of the source, %.2f %% of what serves\n",
              s.source_score * 100, s.serving_score * 100);
}

void run(Options& o) {
  require_writable(o.out);
  if (!o.json.empty()) require_writable(o.json);
  for (const std::string& name : o.without) guard_named(o.config.guards, name) = false;
  prepare_process(o.threads);
  const ModelFile source = read_model(o.model);
  const ModelInfo& model = source.info;
  OnlineLearner learner(source, o.labelled.or_beside(o.model), o.config);

  std::vector<nlohmann::json> decisions;
  for (const auto& input : o.inputs) {
    ReadOptions read = o.read_options();
    read.split = o.split;
    read.labelled = false;
    const DataSource images(
        input, o.align, {model.network.input_size, model.network.channels, model.align_template},
        read);
    require_fit(model, o.model.string(), images.data().info(), input.string());
    Progress progress("adapting");
    const auto made =
        adapt(learner, images.data(), o.split, o.max_steps, [&](const AdaptProgress& p) {
          char note[160];
          std::snprintf(note, sizeof note, "step %llu  loss %.3f  %llu promoted  %llu rolled back",
                        static_cast<unsigned long long>(p.stats.steps), p.stats.loss,
                        static_cast<unsigned long long>(p.stats.promotions),
                        static_cast<unsigned long long>(p.stats.rollbacks));
          progress.update(static_cast<double>(p.done), static_cast<double>(p.all), note);
        });
    decisions.insert(decisions.end(), made.begin(), made.end());
  }

  const LearnerStats stats = learner.stats();
  print(stats);
  const bool promoted = stats.serving_version != stats.source_version;
  if (promoted) {
    ModelFile adapted = learner.serving();
    write_model(o.out, adapted);
    std::printf("%s: version %s, adapted from %s\n", o.out.c_str(), adapted.info.version.c_str(),
                stats.source_version.c_str());
  } else {
    write_atomically(o.out, {bytes_of(o.model)});
    std::printf("%s: nothing better was found; it is a copy of %s\n", o.out.c_str(),
                o.model.c_str());
  }
  if (!o.json.empty()) {
    const nlohmann::json report{{"model", o.model.string()},
                                {"config", o.config},
                                {"promoted", promoted},
                                {"stats", stats},
                                {"decisions", decisions}};
    write_atomically(o.json, {report.dump(2) + "\n"});
  }
  if (!promoted) throw CLI::RuntimeError(kNothingBetter);
}

}  // namespace

void add_adapt(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "adapt", "Adapt a model to images that nobody labelled, as ferlearn does to streams.");
  c->add_option("--model", o->model, "The model file to begin from")
      ->required()
      ->check(CLI::ExistingFile);
  c->add_option("--input", o->inputs,
                "Images in order: a CSV with header (image, optionally person and split), or a "
                "packed dataset; labels are not looked at")
      ->required();
  c->add_option("--split", o->split, "Take this split only");
  o->add_align(*c);
  o->add_max_unreadable(*c);
  c->add_option("--replay", o->labelled.replay,
                "Labelled faces that are taught on: a packed dataset (its split train) or a file "
                "of `fer replay`; otherwise the model's own, beside it");
  c->add_option("--canary", o->labelled.canary,
                "Labelled faces that judge candidates: a packed dataset (its split valid) or a "
                "file of `fer replay`; otherwise the model's own, beside it");
  c->add_option("--out", o->out, "The adapted model, or a copy of --model")->required();
  c->add_option("--json", o->json, "Write what was learnt and decided here");
  c->add_option("--seed", o->config.seed, "Of all that is random")->capture_default_str();
  c->add_option("--max-steps", o->max_steps, "Stop learning after so many steps; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  c->add_option("--threads", o->threads, "Threads to learn on; 0: one a core")
      ->check(CLI::Range(0, 1024));
  OnlineConfig& config = o->config;
  c->add_option("--thresholds", config.threshold_policy,
                "Which pseudo-labels are trusted: fixed, flex, free, soft, ada-cm or dta, with "
                "settings as in dta:beta=0.95")
      ->capture_default_str();
  c->add_option("--negatives", config.negative_policy,
                "Which classes faces are taught not to be: none, ups, fullmatch, lowest, argmin or "
                "snl")
      ->capture_default_str();
  c->add_option("--learning-rate", config.learning_rate, "Step size of the student")
      ->capture_default_str();
  c->add_option("--ema", config.ema, "Decay of the teacher's weights, a step")
      ->capture_default_str();
  c->add_option("--prior-correction", config.prior_correction,
                "Power of the model's prior that is divided out of the teacher's word")
      ->capture_default_str();
  c->add_option("--reuse", config.reuse, "How often a remembered face is drawn, on average")
      ->capture_default_str();
  c->add_option("--least-memory", config.least_memory, "Remembered faces before the first step")
      ->capture_default_str();
  c->add_option("--frozen-blocks", config.frozen_blocks,
                "Residual blocks that never change; -1: as the replay file says, else all but the "
                "last stage's")
      ->capture_default_str();
  c->add_option("--canary-interval", config.canary_interval, "Steps between two decisions")
      ->capture_default_str();
  c->add_option("--without", o->without,
                "Take a guard away (for experiments): " + joined(guard_names()));
  c->footer("Exit codes: 0 promoted, 3 nothing better found, 1 bad input.");
  c->callback([o] { run(*o); });
}

}  // namespace fer
