#include <algorithm>
#include <cstdio>
#include <memory>

#include "commands.h"
#include "data_source.h"
#include "model/model_file.h"
#include "stream/write_latents.h"

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

void run(const Options& o) {
  const auto replay = std::filesystem::path(o.out).replace_extension(".replay");
  const auto canary = std::filesystem::path(o.out).replace_extension(".canary");
  require_writable(replay);
  const ModelFile model = read_model(o.model);
  const PackedDataset data(o.data);
  const auto taken = write_latents(canary, model, o.frozen_blocks, data, o.canary_split,
                                   o.canary_per_class, o.seed);
  // Where both come from one split, what judges is not taught.
  const auto taught =
      write_latents(replay, model, o.frozen_blocks, data, o.split, o.per_class, o.seed, taken);
  say(replay, taught.size());
  say(canary, taken.size());
}

}  // namespace

void add_replay(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "replay",
      "Make the labelled faces that a model brings for learning from streams: activations of its "
      "lower half, no pictures.");
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
      ->capture_default_str();
  c->add_option("--seed", o->seed, "Of the draw")->capture_default_str();
  c->add_option("--out", o->out,
                "Where the two files go: this path with the endings .replay and .canary; beside "
                "the model, under its name, they are found by themselves")
      ->required();
  c->callback([o] { run(*o); });
}

}  // namespace fer
