#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/commands.h"
#include "commands/deprecated_option.h"
#include "commands/device_option.h"
#include "commands/resumable_run.h"
#include "commands/training_progress.h"
#include "import/detector_weights.h"
#include "learn/detection/detection_trainer.h"
#include "learn/distributed/distributed_env.h"
#include "program/finite_range.h"
#include "terminal/progress.h"

namespace fer {
namespace {

struct Options {
  std::filesystem::path data, out, init;
  DetectionTrainConfig train;
};

void run(Options& o) {
  require_one_process("fer train --task detect");
  if (!o.init.empty()) {
    o.train.init = std::make_shared<const DetectorFile>(read_detector_weights(o.init));
    o.train.network = o.train.init->info.network;
  }
  o.train.check();
  settle_device(o.train.device);
  require_startable(o.out, o.train);
  const DetectionDataset data(o.data);
  std::printf(
      "detector: %.1f k parameters, %.1f M multiply-accumulates at 320 x 192, %.1f M at "
      "640 x 384\n",
      static_cast<double>(detector_parameters(o.train.network)) / 1e3,
      static_cast<double>(detector_macs(o.train.network, 320, 192)) / 1e6,
      static_cast<double>(detector_macs(o.train.network, 640, 384)) / 1e6);
  std::fflush(stdout);
  Progress progress("training");
  const TrainResult result = train_detector(
      data, o.train, o.out,
      [&](const TrainProgress& p) { show_epochs(progress, p, o.train.epochs, "views"); },
      [&](const nlohmann::json& entry) {
        const auto e = entry.get<DetectorEpoch>();
        progress.clear();
        std::printf(
            "epoch %3d  loss %.4f  overlap %.3f  valid: average precision %.3f, recall %.1f %% at "
            "%g false alarms a photo\n",
            e.epoch + 1, e.loss, e.iou, e.average_precision, e.recall * 100, kWatchedFalseAlarms);
        std::fflush(stdout);
      },
      stop_requested);
  progress.clear();
  end_if_stopped(result, o.out);
  const auto best = result.best.get<DetectorEpoch>(), last = result.last.get<DetectorEpoch>();
  std::printf("best.fer: epoch %d, average precision %.3f on valid; last.fer: %.3f; both in %s\n",
              best.epoch + 1, best.average_precision, last.average_precision, o.out.c_str());
}

}  // namespace

void add_train_detector(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "train", "Train a face detector on photos; stop and repeat the command to go on.");
  DetectionTrainConfig& t = o->train;
  DetectionAugmentConfig& a = t.augment;
  c->add_option("--data", o->data, "What fer pack --task detect made")->required();
  c->add_option("--out", o->out, "Folder for last.fer, best.fer, log.jsonl and the checkpoint")
      ->required();
  const auto add = [&](const char* name, auto& value, const char* what) {
    return c->add_option(name, value, what)->capture_default_str();
  };
  auto* init = c->add_option("--init", o->init,
                             "Weights to start from: a detector's .fer, or the .onnx that fer "
                             "export made of one; they say what the network is like")
                   ->check(CLI::ExistingFile);
  add("--epochs", t.epochs, "Times that the photos are gone through")->check(CLI::Range(1, 100000));
  add("--views", t.views, "Views an epoch; 0: one a photo");
  add("--batch", t.batch, "Views a step")->check(CLI::Range(1, 4096));
  add("--side", t.side, "Side of a view in pixels, a multiple of 32");
  add("--learning-rate", t.learning_rate, "Peak of AdamW; cosine to zero")
      ->check(finite_range(0, 1000));
  add("--weight-decay", t.weight_decay, "On kernels only")->check(finite_range(0, 1));
  add("--ema", t.ema, "Decay of the averaged weights, a step")->check(finite_range(0, 1));
  add("--box-weight", t.box_weight, "Weight of the boxes' loss")->check(finite_range(0, 1000));
  add("--points-weight", t.points_weight, "Weight of the landmarks' loss")
      ->check(finite_range(0, 1000));
  add("--balance", t.balance, "Draw photos by (size of their source)^-balance; 0: as they are")
      ->check(finite_range(0, 1));
  add("--negatives", t.negatives, "Share of views of photos without faces")
      ->check(finite_range(0, 1));
  add("--mosaic", a.mosaic, "Share of views put together of four photos")
      ->check(finite_range(0, 1));
  add("--erase", a.erase, "Share of faces that are partly covered")->check(finite_range(0, 1));
  add("--rotation", a.rotation, "Degrees by which views are turned at most")
      ->check(finite_range(0, 180));
  add("--turned", a.turned, "Share of views that are turned by any angle instead")
      ->check(finite_range(0, 1));
  add("--dark", a.dark, "Share of dark views")->check(finite_range(0, 1));
  add("--min-face", a.min_face, "Height of the smallest faces that are made, in pixels")
      ->check(finite_range(4, 10000));
  add_deprecated(*c, "--least-face", a.min_face, "--min-face")->check(finite_range(4, 10000));
  const auto add_shape = [&](const char* name, auto& value, const char* what) {
    add(name, value, what)->excludes(init);
  };
  add_shape("--widths", t.network.widths, "Channels at strides 8, 16 and 32");
  add_shape("--depths", t.network.depths, "Blocks at strides 8, 16 and 32");
  add_shape("--kernels", t.network.kernels, "Depthwise kernels at strides 8, 16 and 32");
  add_shape("--stem-width", t.network.stem_width, "Channels of the first convolution");
  add_shape("--stem-kernel", t.network.stem_kernel, "Its kernel");
  add_shape("--stem-stride", t.network.stem_stride, "Its stride: 4, or 2");
  add("--seed", t.seed, "Of weights, draws and views")->check(seed_range());
  add("--threads", t.threads, "0: one a core")->check(CLI::Range(0, 1024));
  add_device(*c, t.device);
  c->add_flag("!--fp32", t.bf16, "Convolutions in fp32 rather than bfloat16");
  c->callback([o] { run(*o); });
}

}  // namespace fer
