#include "learn/pretrain/pretrainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>

#include "learn/data/batches.h"
#include "learn/data/resident_augment.h"
#include "learn/device/autocast.h"
#include "learn/device/compute_device.h"
#include "learn/evaluation/knn_probe.h"
#include "learn/losses/pretrain_losses.h"
#include "learn/optim/adamw.h"
#include "learn/pretrain/pretrain_batches.h"
#include "learn/run/training_loop.h"
#include "learn/supervised/trainer.h"
#include "model/network_layout.h"
#include "network/model_file.h"
#include "network/network.h"
#include "network/torch_seed.h"
#include "util/elapsed.h"

namespace fer {
namespace {

namespace nn = torch::nn;
using nlohmann::json;

nn::Sequential two_layers(int in, int hidden, int out) {
  return nn::Sequential(nn::Linear(nn::LinearOptions(in, hidden).bias(false)),
                        nn::BatchNorm1d(hidden), nn::ReLU(), nn::Linear(hidden, out));
}

/// A network with pretraining's projector and predictor. The teacher's predictor is not used.
class PretrainNetImpl : public nn::Module {
 public:
  explicit PretrainNetImpl(const PretrainConfig& c)
      : network(register_module("network", Network(c.network))),
        projector_(register_module("projector",
                                   two_layers(c.network.widths.back(), c.hidden, c.embedding))),
        predictor_(register_module("predictor", two_layers(c.embedding, c.hidden, c.embedding))) {}

  /// The network runs in bfloat16 where `bf16` is set; the projector stays in fp32.
  torch::Tensor embed(const torch::Tensor& images, bool bf16) {
    torch::Tensor features;
    {
      Bf16Scope scope(bf16, images.device());
      features = network->features(images.contiguous(torch::MemoryFormat::ChannelsLast));
    }
    return projector_->forward(features.to(torch::kFloat));
  }
  torch::Tensor predict(const torch::Tensor& embedding) { return predictor_->forward(embedding); }

  Network network;

 private:
  nn::Sequential projector_, predictor_;
};
TORCH_MODULE(PretrainNet);

PretrainNet seeded(const PretrainConfig& config, torch::Device device) {
  seed_torch(config.seed);
  PretrainNet net(config);
  net->to(device);
  return net;
}

void require_fit(const PretrainData& data, const PretrainConfig& config) {
  if (config.method != "contrast" && config.method != "regression") {
    throw std::runtime_error("pretraining method \"" + config.method +
                             "\" is not known; expected contrast or regression");
  }
  require_fit(config.network, data.info, /*classes=*/false);
  if (data.faces.size() < static_cast<std::size_t>(config.batch)) {
    throw std::runtime_error(std::to_string(data.faces.size()) +
                             " faces to learn from, fewer than one batch of " +
                             std::to_string(config.batch));
  }
}

PixelStats stats_of(const PretrainData& data) {
  PixelSums sums;
  for (const FaceRef& face : data.faces) sums.add(face.crop());
  return sums.stats();
}

/// The run's task: see pretrain().
class Pretraining : public TrainingTask {
 public:
  Pretraining(const PretrainData& data, const PretrainConfig& config,
              const std::filesystem::path& out)
      : data_(data),
        config_(config),
        stats_(stats_of(data)),
        device_(compute_device(config.device)),
        student_(seeded(config, device_)),
        teacher_(seeded(config, device_)),
        run_(student_.ptr(), teacher_.ptr(), config.ema, out),
        optimiser_(*student_, config.weight_decay) {
    for (const FaceRef& face : data.watched) {
      watched_rows_.push_back(face.row);
      watched_labels_.push_back(face.label);
    }
    json identity = config;
    identity.erase("threads");
    identity.erase("device");
    identity["faces"] = fingerprint(fingerprint(0, data.faces), data.watched);
    ModuleRun::Tensors kept;
    for (const auto& [name, tensor] : optimiser_.state) kept["adamw." + name] = tensor;
    run_.resume(identity, kept);
  }

  TrainResult go(const TrainingHooks& hooks, const std::atomic<bool>& stop) {
    return run_training_loop(run_, *this,
                             {.epochs = epochs(),
                              .images_per_step = 2 * config_.batch,
                              .seed = config_.seed,
                              .score = nullptr},
                             hooks, stop);
  }

  int begin_epoch(int) override {
    if (!batches_) make_batches();
    student_->train();
    sums_ = torch::zeros({3}, device_);
    waited_ = 0;
    return std::min(config_.epoch_steps, config_.steps - first_step());
  }

  void step(int step) override {
    const auto asked = SteadyClock::now();
    const torch::Tensor images = batches_->next().to(device_, /*non_blocking=*/true);
    waited_ += seconds_since(asked);
    sums_ += learn(images, first_step() + step);
  }

  double mean_loss(int steps) override { return sums_[0].item<double>() / steps; }

  json validate(int steps, double seconds) override {
    const torch::Tensor means = sums_ / steps;
    const double even = means[1].item<double>();
    json entry{{"loss", means[0].item<double>()},
               {"spread", even},
               {"dimensions", means[2].item<double>()},
               {"collapsed", even < kCollapsedSpread},
               {"step", first_step() + steps},
               {"learning_rate", rate(first_step() + steps - 1)},
               {"images_per_second", steps * 2 * config_.batch / seconds},
               {"data_share", waited_ / seconds}};
    watch(entry);
    return entry;
  }

  void save(const std::filesystem::path& path, const json& entry) const override {
    ModelFile start;
    start.info.network = config_.network;
    start.info.mean = stats_.mean;
    start.info.stddev = stats_.stddev;
    start.info.align_template = data_.info.crops.align_template;
    start.info.provenance = {
        {"pretrain", config_}, {"data", data_.info.source}, {"watched", entry}};
    start.weights = state_in_memory(*teacher_->network);
    std::erase_if(start.weights, [](const auto& item) { return is_of_head(item.first); });
    write_model(path, start);
  }

 private:
  int epochs() const { return (config_.steps + config_.epoch_steps - 1) / config_.epoch_steps; }
  int first_step() const { return run_.epoch * config_.epoch_steps; }

  double rate(int step) const {
    return config_.learning_rate * warm_cosine(step, 1, config_.steps / 20.0, config_.steps);
  }

  /// Makes the batches from the current epoch to the end of the run.
  void make_batches() {
    if (device_.is_cuda()) resident_.emplace(data_.faces, stats_, device_);
    batches_ = std::make_unique<PretrainBatches>(data_.faces, stats_, config_.views, config_.batch,
                                                 config_.seed, first_step(), device_,
                                                 resident_ ? &*resident_ : nullptr);
  }

  /// Loss, spread and dimensions of a step.
  torch::Tensor learn(const torch::Tensor& images, int step) {
    torch::Tensor targets;
    {
      torch::NoGradGuard no_grad;
      targets = teacher_->embed(images, config_.bf16);
    }
    const torch::Tensor embedding = student_->embed(images, config_.bf16);
    // Each view's prediction must match the teacher's embedding of the other view.
    const auto p = student_->predict(embedding).chunk(2), t = targets.chunk(2);
    const torch::Tensor loss = (compare(p[0], t[1]) + compare(p[1], t[0])) / 2;
    loss.backward();
    optimiser_.step(rate(step));
    run_.step();
    const torch::Tensor z = embedding.detach();
    return torch::stack({loss.detach(), spread(z), filled_dimensions(z)});
  }

  torch::Tensor compare(const torch::Tensor& predictions, const torch::Tensor& targets) const {
    return config_.method == "contrast" ? contrast_loss(predictions, targets, config_.temperature)
                                        : regression_loss(predictions, targets);
  }

  void watch(json& entry) {
    if (watched_rows_.size() < 2) return;
    torch::NoGradGuard no_grad;
    constexpr std::size_t kChunk = 256;
    const PackedDataset& data = *data_.watched.front().data;
    const std::span<const std::size_t> rows(watched_rows_);
    std::vector<torch::Tensor> features;
    for (std::size_t i = 0; i < rows.size(); i += kChunk) {
      const auto part = rows.subspan(i, std::min(kChunk, rows.size() - i));
      Bf16Scope bf16(config_.bf16, device_);
      const torch::Tensor images = plain_images(data, part, stats_).to(device_);
      features.push_back(teacher_->network->features(images).to(torch::kCPU, torch::kFloat));
    }
    const auto ask = [&, all = torch::cat(features)](bool balanced) {
      return knn_probe(all, watched_labels_, data_.info.labels, kWatchedNeighbours, balanced);
    };
    entry["knn_accuracy"] = ask(/*balanced=*/false).accuracy();
    entry["knn_macro_recall"] = ask(/*balanced=*/true).macro_recall();
  }

  const PretrainData& data_;
  const PretrainConfig config_;
  const PixelStats stats_;
  std::vector<std::size_t> watched_rows_;
  std::vector<int> watched_labels_;
  const torch::Device device_;
  PretrainNet student_, teacher_;
  ModuleRun run_;
  AdamW optimiser_;
  std::optional<ResidentAugment> resident_;  ///< On a device.
  std::unique_ptr<PretrainBatches> batches_;
  torch::Tensor sums_;  ///< Loss, spread and dimensions, summed over the current epoch's steps.
  double waited_ = 0;   ///< Seconds that the current epoch waited for batches.
};

}  // namespace

AugmentConfig pretrain_views() {
  AugmentConfig views;
  views.rotation = 15;
  views.scale = 0.2;
  views.stretch = 0.1;
  views.shift = 0.08;
  views.gamma = 0.5;
  views.contrast = 0.4;
  views.brightness = 0.2;
  views.blur = 0.3;
  views.noise = 0.1;
  views.erase = 0.5;
  return views;
}

void to_json(json& j, const PretrainConfig& c) {
  j = {{"network", c.network},
       {"views", c.views},
       {"method", c.method},
       {"steps", c.steps},
       {"epoch_steps", c.epoch_steps},
       {"batch", c.batch},
       {"hidden", c.hidden},
       {"embedding", c.embedding},
       {"temperature", c.temperature},
       {"learning_rate", c.learning_rate},
       {"weight_decay", c.weight_decay},
       {"ema", c.ema},
       {"bf16", c.bf16},
       {"device", c.device},
       {"threads", c.threads},
       {"seed", c.seed}};
}

PretrainData pretrain_data(const std::vector<const PackedDataset*>& datasets) {
  PretrainData result;
  std::vector<const PackedDataset*> seen;
  for (const PackedDataset* data : datasets) {
    if (std::find(seen.begin(), seen.end(), data) != seen.end()) continue;
    if (seen.empty()) {
      result.info = data->info();
    } else {
      require_same_crops(*seen.front(), *data);
      result.info.source += " + " + data->info().source;
    }
    seen.push_back(data);
    const std::vector<FaceRef> faces = faces_without_labels(*data, {});
    result.faces.insert(result.faces.end(), faces.begin(), faces.end());
    if (!result.watched.empty() || !has_split(*data, "valid")) continue;
    for (std::size_t row : data->rows("valid")) {
      if (data->duplicate(row) || data->label(row) < 0) continue;
      result.watched.push_back({data, row, data->label(row)});
    }
    if (!result.watched.empty()) result.info.labels = data->info().labels;
  }
  if (result.faces.empty()) {
    throw std::runtime_error((seen.empty() ? std::string("no dataset") : seen.front()->name()) +
                             ": expected faces to learn from, found none");
  }
  return result;
}

TrainResult pretrain(const PretrainData& data, const PretrainConfig& config,
                     const std::filesystem::path& out,
                     const std::function<void(const TrainProgress&)>& on_progress,
                     const std::function<void(const json&)>& on_epoch,
                     const std::atomic<bool>& stop) {
  require_fit(data, config);
  prepare_process(config.threads);
  return Pretraining(data, config, out).go({on_progress, on_epoch}, stop);
}

}  // namespace fer
