#include <algorithm>
#include <cstdio>
#include <memory>

#include "commands/commands.h"
#include "files/disk_space.h"
#include "network/model_file.h"
#include "program/finite_range.h"
#include "stream/write_latents.h"
#include "terminal/output_files.h"
#include "terminal/progress.h"

namespace fer {
namespace {

struct Options {
  std::filesystem::path model, data, out;
  std::string split = "train", canary_split = "valid";
  int per_class = 60, canary_per_class = 60, frozen_blocks = -1;
  std::uint64_t seed = 1;
};

void say(const std::filesystem::path& path, std::size_t rows) {
  std::printf("%s: %zu faces, %s\n", path.c_str(), rows,
              size_text(static_cast<double>(std::filesystem::file_size(path))).c_str());
}

/// `out` with the ending, in place of a model's own: "v1.2" is a name, and no "v1".
std::filesystem::path with_ending(std::filesystem::path out, const char* ending) {
  if (out.extension() == ".fer") out.replace_extension();
  out += ending;
  return out;
}

void run(const Options& o) {
  const auto replay = with_ending(o.out, ".replay"), canary = with_ending(o.out, ".canary");
  require_outputs({replay, canary}, {o.model, o.data});
  const ModelFile model = read_model(o.model);
  const PackedDataset data(o.data);
  Progress progress("making latents");
  const auto latents = [&](const std::string& split, int per_class,
                           const std::vector<std::size_t>& but_not) {
    return LatentSet(model, o.frozen_blocks, data, split, per_class, o.seed, but_not,
                     [&](std::size_t done, std::size_t all) {
                       stop_if_requested();
                       progress.update(static_cast<double>(done), static_cast<double>(all));
                     });
  };
  const LatentSet judging = latents(o.canary_split, o.canary_per_class, {});
  // Where both come from one split, what judges is not taught.
  const LatentSet taught = latents(o.split, o.per_class, judging.rows());
  progress.clear();
  stop_if_requested();
  // Only now that both are there: a canary without its replay, or with the one before, misleads.
  judging.write(canary);
  taught.write(replay);
  say(replay, taught.rows().size());
  say(canary, judging.rows().size());
}

}  // namespace

void add_replay(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("replay");
  c->add_option("--model", o->model, "The model file that they are for")
      ->required()
      ->check(CLI::ExistingFile);
  c->add_option("--data", o->data, "A packed dataset")->required()->check(CLI::ExistingFile);
  c->add_option("--split", o->split, "Where the replay comes from")->capture_default_str();
  c->add_option("--canary-split", o->canary_split, "Where the canary comes from")
      ->capture_default_str();
  c->add_option("--per-class", o->per_class, "Faces of each class in the replay")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  c->add_option("--canary-per-class", o->canary_per_class, "Faces of each class in the canary")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  c->add_option("--frozen-blocks", o->frozen_blocks,
                "Residual blocks below the activations; -1: all but the last stage's")
      ->check(CLI::Range(-1, 1000))
      ->capture_default_str();
  c->add_option("--seed", o->seed, "Of the draw")->check(seed_range())->capture_default_str();
  c->add_option(
       "--out", o->out,
       "Where the two files go: this path with the endings .replay and .canary, in place of "
       ".fer where it ends so; beside the model, under its name, they are found by "
       "themselves")
      ->required();
  c->callback([o] { run(*o); });
}

}  // namespace fer
