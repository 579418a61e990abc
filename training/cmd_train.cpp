#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "data_options.h"
#include "learn/trainer.h"
#include "progress.h"

namespace fer {
namespace {

struct Options : DataOptions {
  std::filesystem::path out;
  std::string network = "fernet";
  TrainConfig train;
};

void run(Options& o) {
  o.train.network = network_preset(o.network);
  const DataSource source(o.data, o.align, o.crop_spec());
  const PackedDataset& data = source.data();
  o.train.network.input_size = data.info().side;
  o.train.network.channels = data.info().channels;
  o.train.network.classes = static_cast<int>(data.info().labels.size());

  Progress progress("training");
  char note[160];
  const TrainResult result = train(
      data, o.train, o.out,
      [&](const TrainProgress& p) {
        std::snprintf(note, sizeof note, "epoch %d/%d  loss %.4f  %.0f images/s", p.epoch + 1,
                      o.train.epochs, p.loss, p.images_per_second);
        progress.update(p.epoch + static_cast<double>(p.step) / p.steps, o.train.epochs, note,
                        p.seconds_left);
      },
      [&](const nlohmann::json& epoch) {
        progress.clear();
        std::printf("epoch %3d  loss %.4f  valid: accuracy %.2f %%, macro recall %.2f %%\n",
                    epoch["epoch"].get<int>() + 1, epoch["loss"].get<double>(),
                    epoch["accuracy"].get<double>() * 100,
                    epoch["macro_recall"].get<double>() * 100);
        std::fflush(stdout);
      },
      stop_requested);
  progress.clear();
  if (result.stopped) {
    std::printf("stopped; the same command goes on from the last whole epoch in %s\n",
                o.out.c_str());
    throw Interrupted();
  }
  std::printf("best.fer: epoch %d, accuracy %.2f %% on valid; last.fer: %.2f %%; both in %s\n",
              result.best["epoch"].get<int>() + 1, result.best["accuracy"].get<double>() * 100,
              result.last["accuracy"].get<double>() * 100, o.out.c_str());
}

}  // namespace

void add_train(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "train",
      "Train an expression model on labelled faces; stop and repeat the command to go on.");
  o->add_to(*c);
  TrainConfig& t = o->train;
  c->add_option("--out", o->out, "Folder for last.fer, best.fer, log.jsonl and the checkpoint")
      ->required();
  c->add_option("--network", o->network, "fernet, fernet-large or resnet18")->capture_default_str();
  c->add_option("--epochs", t.epochs)->check(CLI::Range(1, 100000))->capture_default_str();
  c->add_option("--batch", t.batch, "Images a step")
      ->check(CLI::Range(2, 65536))
      ->capture_default_str();
  c->add_option("--learning-rate", t.learning_rate, "Peak; cosine to zero")->capture_default_str();
  c->add_option("--weight-decay", t.weight_decay)->capture_default_str();
  c->add_option("--momentum", t.momentum)->capture_default_str();
  c->add_option("--ema", t.ema, "Decay of the averaged weights, a step")->capture_default_str();
  c->add_option("--early-epochs", t.early_epochs,
                "Share of the epochs that see smaller images, for speed")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  c->add_option("--early-side", t.early_side, "Side of those images, as a share")
      ->check(CLI::Range(0.25, 1.0))
      ->capture_default_str();
  c->add_option("--mixup", t.mixup, "Alpha of mixup; 0: off")->capture_default_str();
  c->add_option("--erase", t.augment.erase, "Probability of random erasing")->capture_default_str();
  c->add_option("--balance", t.balance, "Draw rows by (class share)^-balance; 0: as they are")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  c->add_option("--min-votes", t.min_votes, "Votes below this count are taken as slips")
      ->capture_default_str();
  c->add_option("--teacher", t.teachers,
                "Model files whose mean probability teaches (distillation)")
      ->check(CLI::ExistingFile);
  c->add_option("--distill", t.distill, "The teachers' share of the target")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  c->add_option("--seed", t.seed)->capture_default_str();
  c->add_option("--threads", t.threads, "0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  c->add_flag("!--fp32", t.bf16, "Convolutions in fp32 rather than bfloat16");
  c->callback([o] { run(*o); });
}

}  // namespace fer
