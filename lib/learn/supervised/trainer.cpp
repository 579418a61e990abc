#include "learn/supervised/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>

#include "learn/data/batches.h"
#include "learn/data/resident_augment.h"
#include "learn/device/autocast.h"
#include "learn/device/compute_device.h"
#include "learn/losses/losses.h"
#include "learn/run/model_network.h"
#include "learn/run/training_loop.h"
#include "learn/run/training_run.h"
#include "network/model_file.h"

namespace fer {
namespace {

using nlohmann::json;

torch::Tensor beta_sample(double alpha, Random& random) {
  std::gamma_distribution<double> gamma(alpha);
  const double a = gamma(random), b = gamma(random);
  return torch::tensor(a + b > 0 ? a / (a + b) : 1.0);
}

/// Rows of split train that can teach. Throws std::runtime_error where the data cannot feed the
/// network.
std::vector<Sample> usable_samples(const PackedDataset& data, const TrainConfig& config) {
  std::vector<Sample> samples = labelled_samples(data, "train", config.min_votes);
  if (samples.size() < static_cast<std::size_t>(config.batch)) {
    throw std::runtime_error("split train has " + std::to_string(samples.size()) +
                             " usable rows, fewer than one batch of " +
                             std::to_string(config.batch));
  }
  require_fit(config.network, data.info());
  return samples;
}

/// Rows to select by.
LabelledRows valid_rows(const PackedDataset& data) {
  LabelledRows valid;
  for (std::size_t row : data.rows("valid")) {
    if (data.duplicate(row) || data.label(row) < 0) continue;
    valid.rows.push_back(row);
    valid.labels.push_back(data.label(row));
  }
  if (valid.rows.empty()) throw std::runtime_error("split valid has no labelled rows to select by");
  return valid;
}

ModelInfo info_of(const PackedDataset& data, const TrainConfig& config, PixelStats stats,
                  std::vector<float> prior) {
  ModelInfo info;
  info.network = config.network;
  info.labels = data.info().labels;
  info.mean = stats.mean;
  info.stddev = stats.stddev;
  info.align_template = data.info().crops.align_template;
  info.prior = std::move(prior);
  return info;
}

/// The run's task: see train().
class Supervised : public TrainingTask {
 public:
  Supervised(const PackedDataset& data, const TrainConfig& config, const std::filesystem::path& out,
             ProcessGroup* group)
      : data_(data),
        config_(config),
        group_(group),
        part_(group ? group->part(config.batch) : BatchPart{}),
        samples_(usable_samples(data, config)),
        device_(compute_device(config.device, group)),
        valid_(valid_rows(data)),
        stats_(config.init ? config.init.stats() : pixel_stats(data, samples_)),
        prior_(class_shares(samples_, 0)),
        run_(info_of(data, config, stats_, prior_),
             {.momentum = config.momentum,
              .weight_decay = config.weight_decay,
              .ema = config.ema,
              .layer_decay = config.layer_decay,
              .seed = config.seed,
              .init = config.init,
              .device = device_,
              .group = group},
             out) {
    const auto drawn = class_shares(samples_, config.balance);
    const auto k = static_cast<std::int64_t>(prior_.size());
    offset_ = torch::empty({k});
    for (std::int64_t i = 0; i < k; ++i) {
      const auto c = static_cast<std::size_t>(i);
      offset_[i] = std::log(drawn[c]) - std::log(prior_[c]);
    }
    offset_ = offset_.to(device_);
    for (const auto& path : config.teachers) {
      const ModelFile file = read_model(path);
      CropFormat crops = file.info.crops();
      crops.side = data.info().crops.side;  // teach() scales the images.
      if (file.info.labels != data.info().labels || crops != data.info().crops)
        throw std::runtime_error(path.string() +
                                 ": a teacher must have the data's labels, colour and template");
      teachers_.push_back(
          {network_of(file, path.string(), device_), {file.info.mean, file.info.stddev}});
    }
    if (device_.is_cuda()) {
      std::vector<FaceRef> faces;
      for (const Sample& sample : samples_) faces.push_back({&data_, sample.row});
      resident_.emplace(faces, stats_, device_);
    }
    run_.enable_sync_bn({config.batch});
    json identity = config;
    identity.erase("threads");
    identity.erase("device");
    if (group) require_same_data();
    run_.resume(identity);
  }

  TrainResult go(const TrainingHooks& hooks, const std::atomic<bool>& stop) {
    return run_training_loop(run_, *this,
                             {.epochs = config_.epochs,
                              .images_per_step = config_.batch,
                              .seed = config_.seed,
                              .score = "accuracy"},
                             hooks, stop);
  }

  int begin_epoch(int epoch) override {
    random_ = Random(config_.seed, static_cast<std::uint64_t>(epoch), ~1ull);
    batches_ = std::make_unique<EpochBatches>(data_, samples_, stats_, config_.augment,
                                              config_.batch, config_.balance, config_.seed, epoch,
                                              part_, device_, resident_ ? &*resident_ : nullptr);
    run_.network->train();
    total_ = torch::zeros({}, device_);
    return batches_->size();
  }

  void step(int step) override {
    const Batch batch = batches_->next()->to(device_);
    Bf16Scope bf16(config_.bf16, device_);
    torch::Tensor images = batch.images, targets = batch.targets;
    if (config_.mixup > 0) {
      const torch::Tensor lambda = beta_sample(config_.mixup, random_);
      const torch::Tensor order = part_.of(torch::randperm(config_.batch)).to(device_);
      images = mixed(images, lambda, order);
      targets = mixed(targets, lambda, order);
    }
    if (!teachers_.empty())
      targets = (1 - config_.distill) * targets + config_.distill * teach(images);
    images = for_epoch(images).contiguous(torch::MemoryFormat::ChannelsLast);
    const torch::Tensor loss = soft_cross_entropy(run_.network(images) + offset_, targets);
    loss.backward();
    run_.step(rate(step, batches_->size()));
    total_ += loss.detach();
  }

  double mean_loss(int steps) override { return run_.mean(total_).item<double>() / steps; }

  json validate(int steps, double) override {
    json entry{{"loss", mean_loss(steps)}, {"learning_rate", rate(0, 1)}};
    batches_.reset();
    write_validation(entry, confusion_of(run_.average, data_, valid_, data_.info().labels, stats_,
                                         config_.bf16, group_));
    return entry;
  }

  void save(const std::filesystem::path& path, const json& entry) const override {
    run_.save(path, entry, {{"train", config_}, {"data", data_.info().source}});
  }

 private:
  struct Teacher {
    Network network;
    PixelStats stats;
  };

  /// A run's checkpoint says nothing of the data; processes must have the same.
  void require_same_data() const {
    std::uint64_t hash = samples_.size();
    for (const Sample& sample : samples_) hash = Random(hash, sample.row)();
    for (const std::size_t row : valid_.rows) hash = Random(hash, row)();
    group_->require_same(json{hash, data_.info().labels, stats_.mean, stats_.stddev}.dump(),
                         "data");
  }

  double rate(int step, int steps) const {
    return config_.learning_rate * warm_cosine(run_.epoch + static_cast<double>(step) / steps,
                                               1.0 / steps, std::min(2.0, config_.epochs / 10.0),
                                               config_.epochs);
  }

  /// The teachers' mean probability of each class, under the drawn prior.
  torch::Tensor teach(const torch::Tensor& images) const {
    torch::NoGradGuard no_grad;
    torch::Tensor sum;
    for (const Teacher& teacher : teachers_) {
      Network network = teacher.network;
      const double scale = stats_.stddev / teacher.stats.stddev;
      const double shift = (stats_.mean - teacher.stats.mean) / teacher.stats.stddev;
      torch::Tensor seen = images * scale + shift;
      if (const std::int64_t side = network->config().input_size; side != images.size(2))
        seen = torch::upsample_bilinear2d(seen, {side, side}, /*align_corners=*/false);
      const torch::Tensor p = torch::softmax(network(seen) + offset_, 1);
      sum = sum.defined() ? sum + p : p;
    }
    return sum / static_cast<double>(teachers_.size());
  }

  /// The images as this epoch sees them: smaller in the early ones.
  torch::Tensor for_epoch(const torch::Tensor& images) const {
    if (run_.epoch >= config_.early_epochs * config_.epochs) return images;
    const auto side = static_cast<std::int64_t>(
        std::lround(config_.early_side * static_cast<double>(images.size(2))));
    return torch::upsample_bilinear2d(images, {side, side}, /*align_corners=*/false);
  }

  /// λ of the rows here and 1 − λ of those of the whole batch that `partners` names.
  torch::Tensor mixed(const torch::Tensor& own, const torch::Tensor& lambda,
                      const torch::Tensor& partners) const {
    const torch::Tensor all = group_ ? group_->gather_rows(own) : own;
    return lambda * own + (1 - lambda) * all.index_select(0, partners);
  }

  const PackedDataset& data_;
  const TrainConfig config_;
  ProcessGroup* const group_;  ///< nullptr: one process.
  const BatchPart part_;
  const std::vector<Sample> samples_;
  const torch::Device device_;
  const LabelledRows valid_;
  const PixelStats stats_;
  const std::vector<float> prior_;
  torch::Tensor offset_;  ///< log of (drawn prior / prior): outputs assume the data's own mix.
  std::vector<Teacher> teachers_;
  std::optional<ResidentAugment> resident_;  ///< On a device: its faces, and what is seen of them.
  TrainingRun run_;
  std::unique_ptr<EpochBatches> batches_;  ///< Of the current epoch.
  Random random_{0};                       ///< Draws the current epoch's mixup.
  torch::Tensor total_;                    ///< Sum of the current epoch's losses.
};

}  // namespace

void to_json(json& j, const AugmentConfig& a) {
  j = {{"flip", a.flip},         {"rotation", a.rotation},
       {"scale", a.scale},       {"stretch", a.stretch},
       {"shift", a.shift},       {"gamma", a.gamma},
       {"contrast", a.contrast}, {"brightness", a.brightness},
       {"blur", a.blur},         {"noise", a.noise},
       {"erase", a.erase}};
}

void to_json(json& j, const TrainConfig& c) {
  j = {{"network", c.network},
       {"augment", c.augment},
       {"epochs", c.epochs},
       {"batch", c.batch},
       {"learning_rate", c.learning_rate},
       {"weight_decay", c.weight_decay},
       {"momentum", c.momentum},
       {"ema", c.ema},
       {"early_epochs", c.early_epochs},
       {"early_side", c.early_side},
       {"mixup", c.mixup},
       {"balance", c.balance},
       {"min_votes", c.min_votes},
       {"distill", c.distill},
       {"teachers", json::array()},
       {"bf16", c.bf16},
       {"device", c.device},
       {"threads", c.threads},
       {"seed", c.seed}};
  // Absent rather than null where there is none, as in the checkpoints of older runs.
  if (c.layer_decay != 1) j["layer_decay"] = c.layer_decay;
  if (c.init) j["init"] = c.init.version();
  // The content, not the place: a teacher is the same wherever it lies.
  for (const auto& path : c.teachers) j["teachers"].push_back(read_model_info(path).version);
}

TrainResult train(const PackedDataset& data, const TrainConfig& config,
                  const std::filesystem::path& out,
                  const std::function<void(const TrainProgress&)>& on_progress,
                  const std::function<void(const json&)>& on_epoch, const std::atomic<bool>& stop,
                  ProcessGroup* group) {
  prepare_process(config.threads, group);
  return Supervised(data, config, out, group).go({on_progress, on_epoch}, stop);
}

}  // namespace fer
