#include <cstdio>
#include <memory>
#include <stdexcept>

#include "commands/commands.h"
#include "learn/distributed/distributed_env.h"
#include "sweep/sweep.h"

namespace fer {
namespace {

struct Options {
  std::filesystem::path experiment;
  SweepSettings settings;
};

void run(const Options& o) {
  require_one_process("fer sweep");
  const std::size_t failed = run_sweep(read_experiment(o.experiment), o.settings);
  if (failed > 0) {
    throw std::runtime_error(std::to_string(failed) +
                             (failed == 1 ? " run failed" : " runs failed") +
                             "; the same command tries again");
  }
}

}  // namespace

void add_sweep(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("sweep");
  c->add_option("experiment", o->experiment, "The experiment's file (training/experiments/*.json)")
      ->required()
      ->check(CLI::ExistingFile);
  c->add_option("--data", o->settings.data,
                "Packed dataset (see fer pack): with splits train, valid and test, or what is "
                "adapted to")
      ->required()
      ->check(CLI::ExistingFile);
  c->add_option("--source", o->settings.source,
                "Of adaptations: a packed dataset of the kind that the model was trained on, to "
                "see what is forgotten")
      ->check(CLI::ExistingFile);
  CLI::Option* also =
      c->add_option("--also", o->settings.also,
                    "Of trainings: a packed dataset of another domain, on which each run is "
                    "measured, too")
          ->check(CLI::ExistingFile);
  c->add_option("--also-split", o->settings.also_split, "Its split")
      ->needs(also)
      ->capture_default_str();
  c->add_option("--also-classes", o->settings.also_classes,
                "Its classes that count, with commas between them (default: all that have rows)")
      ->needs(also)
      ->delimiter(',');
  o->settings.runs = "runs";
  c->add_option("--runs", o->settings.runs, "Folder in which each run gets a folder")
      ->capture_default_str();
  o->settings.results = "results";
  c->add_option("--results", o->settings.results,
                "Folder for EXPERIMENT.json and the table EXPERIMENT.md")
      ->capture_default_str();
  c->add_option("--jobs", o->settings.parallel, "Runs side by side")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  c->add_option("--threads", o->settings.threads, "Threads of each run; 0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  o->settings.program = "/proc/self/exe";
  c->callback([o] {
    o->settings.program = std::filesystem::read_symlink(o->settings.program);
    run(*o);
  });
}

}  // namespace fer
