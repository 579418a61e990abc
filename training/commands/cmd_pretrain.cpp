#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "commands/data_options.h"
#include "commands/device_option.h"
#include "commands/resumable_run.h"
#include "commands/training_progress.h"
#include "data/data_sources.h"
#include "learn/distributed/distributed_env.h"
#include "learn/pretrain/pretrainer.h"
#include "program/finite_range.h"
#include "report/run_record.h"
#include "terminal/progress.h"

namespace fer {
namespace {

using nlohmann::json;

struct Options : DataOptions {
  std::vector<std::filesystem::path> datasets;
  std::filesystem::path out;
  std::string network = "fernet";
  PretrainConfig train;
  bool resume = false;
  CLI::Option* size_option = nullptr;
};

json asked_json(const Options& o, const PretrainData& data) {
  return {{"data", texts_of(o.datasets)},
          {"options", o.train},
          {"seed", o.train.seed},
          {"faces", {{"unlabelled", data.faces.size()}, {"watched", data.watched.size()}}}};
}

void print_epoch(const json& e) {
  std::printf("step %6d  loss %.4f  spread %.2f over %.1f dimensions", e["step"].get<int>(),
              e["loss"].get<double>(), e["spread"].get<double>(), e["dimensions"].get<double>());
  if (e.contains("knn_accuracy"))
    std::printf("  neighbours on valid: accuracy %.1f %%, macro recall %.1f %%",
                e["knn_accuracy"].get<double>() * 100, e["knn_macro_recall"].get<double>() * 100);
  std::printf("\n");
  std::fflush(stdout);
}

void run(Options& o) {
  require_one_process("fer pretrain");
  if (o.resume) require_checkpoint(o.out);
  PretrainConfig& train = o.train;
  settle_device(train.device);
  train.network = network_preset(o.network);
  require_startable(o.out, train);
  CropFormat shape = o.crop_format();
  if (o.size_option->count() == 0) shape.side = train.network.input_size;
  DataSources all(o.align, shape, o.read_options());
  std::vector<const PackedDataset*> datasets;
  for (const auto& path : o.datasets) datasets.push_back(all.at(path));
  const PretrainData data = pretrain_data(datasets);
  train.network.input_size = data.info.crops.side;
  train.network.channels = data.info.crops.channels;
  RunRecord record(o.out / "run.json", asked_json(o, data));
  std::printf("%zu faces to learn from, %zu labelled ones to watch by\n", data.faces.size(),
              data.watched.size());

  Progress progress("pretraining");
  bool warned = false;
  const TrainResult result = pretrain(
      data, train, o.out,
      [&](const TrainProgress& p) {
        record.start();
        show_steps(progress, p, train.epoch_steps, train.steps);
      },
      [&](const json& epoch) {
        progress.clear();
        print_epoch(epoch);
        if (warned || !epoch["collapsed"].get<bool>()) return;
        warned = true;
        std::fprintf(stderr,
                     "warning: the embedding has collapsed (spread %.3f, expected %.1f or more): "
                     "all faces look alike to it; try a smaller learning rate, --method contrast, "
                     "a larger --batch or an --ema nearer to 1\n",
                     epoch["spread"].get<double>(), kCollapsedSpread);
      },
      stop_requested);
  progress.clear();
  record.finish(result);
  end_if_stopped(result, o.out);
  std::printf("%s: a start for fer train --init\n", (o.out / "last.fer").c_str());
}

}  // namespace

void add_pretrain(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("pretrain");
  c->add_option("--data", o->datasets,
                "Datasets as those of fer train, whose split train (all, where there is none) is "
                "learnt from; labels of split valid only watch")
      ->required();
  o->add_align(*c);
  o->size_option = o->add_shape(*c);
  o->add_max_unreadable(*c);
  o->add_video(*c);
  PretrainConfig& t = o->train;
  c->add_option("--out", o->out, "Folder for last.fer, log.jsonl and the checkpoint")->required();
  c->add_flag("--resume", o->resume,
              "Refuse to start anew (a run goes on by itself where --out holds its checkpoint)");
  c->add_option("--network", o->network, "fernet, fernet-small, fernet-large or resnet18")
      ->capture_default_str();
  c->add_option("--method", t.method,
                "contrast: find the other view of a face among those of others (MoCo v3); "
                "regression: foretell it (BYOL)")
      ->check(CLI::IsMember({"contrast", "regression"}))
      ->capture_default_str();
  c->add_option("--steps", t.steps, "Steps in all")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  c->add_option("--epoch-steps", t.epoch_steps, "Steps between two log lines and checkpoints")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  c->add_option("--batch", t.batch, "Faces a step; two views of each")
      ->check(CLI::Range(2, 65536))
      ->capture_default_str();
  c->add_option("--temperature", t.temperature, "Of the contrast: small ones look at the nearest")
      ->check(finite_range(0.01, 10))
      ->capture_default_str();
  c->add_option("--learning-rate", t.learning_rate, "Peak; cosine to zero")
      ->check(finite_range(0, 1000))
      ->capture_default_str();
  c->add_option("--weight-decay", t.weight_decay)
      ->check(finite_range(0, 1000))
      ->capture_default_str();
  c->add_option("--ema", t.ema, "Decay of the teacher's weights, a step")
      ->check(finite_range(0, 0.999999))
      ->capture_default_str();
  c->add_option("--seed", t.seed)->check(seed_range())->capture_default_str();
  c->add_option("--threads", t.threads, "0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  add_device(*c, t.device);
  c->add_flag("!--fp32", t.bf16, "Convolutions in fp32 rather than bfloat16");
  c->callback([o] { run(*o); });
}

}  // namespace fer
