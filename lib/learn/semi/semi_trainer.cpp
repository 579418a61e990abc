#include "learn/semi/semi_trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "learn/data/face_views.h"
#include "learn/data/resident_views.h"
#include "learn/device/autocast.h"
#include "learn/device/compute_device.h"
#include "learn/losses/losses.h"
#include "learn/losses/unlabelled_step.h"
#include "learn/policies/negative_policy.h"
#include "learn/policies/threshold_policy.h"
#include "learn/run/training_loop.h"
#include "learn/run/training_run.h"
#include "learn/semi/semi_batches.h"
#include "learn/supervised/trainer.h"
#include "util/elapsed.h"

namespace fer {
namespace {

using nlohmann::json;

json number_or_null(double numerator, double denominator) {
  return denominator > 0 ? json(numerator / denominator) : json();
}

/// Sums over the steps of an epoch, kept as tensors so that no step waits for the device.
class EpochSums {
 public:
  EpochSums(std::int64_t classes, torch::Device device)
      : losses(torch::zeros({4}, device)),
        by_class_(torch::zeros({classes, kColumns}, device)),
        negatives_(torch::zeros({3}, device)) {}

  /// `unlabelled`: 2, of the pseudo-labels and of the negatives.
  void add_losses(const torch::Tensor& all, const torch::Tensor& x,
                  const torch::Tensor& unlabelled) {
    losses += torch::cat({torch::stack({all.detach(), x.detach()}), unlabelled});
  }

  void add_pseudo_labels(const PseudoLabels& pseudo, const torch::Tensor& truth) {
    const torch::Tensor known = (truth >= 0).to(torch::kFloat);
    const torch::Tensor right = (truth == pseudo.labels).to(torch::kFloat);
    const torch::Tensor& w = pseudo.weights;
    by_class_.index_add_(0, pseudo.labels,
                         torch::stack({torch::ones_like(w), w, w * known, w * right}, 1));
  }

  void add_negatives(const torch::Tensor& chosen, const torch::Tensor& truth) {
    const torch::Tensor of_truth =
        chosen.gather(1, truth.clamp_min(0).unsqueeze(1)).squeeze(1) & (truth >= 0);
    negatives_ +=
        torch::stack({torch::full({}, static_cast<double>(chosen.size(0)), losses.options()),
                      chosen.sum().to(torch::kFloat), of_truth.sum().to(torch::kFloat)});
  }

  /// Those of all processes. Each has looked at as many rows.
  void gather(ProcessGroup& group) {
    group.average({losses});
    group.sum(by_class_);
    group.sum(negatives_);
  }

  /// The sums as the fields of a log line.
  void write(json& entry, int steps, const std::vector<std::string>& labels,
             const ThresholdPolicy* policy) const {
    const torch::Tensor losses_here = losses.to(torch::kCPU);
    const auto loss = losses_here.accessor<float, 1>();
    entry["loss"] = loss[0] / static_cast<float>(steps);
    entry["loss_x"] = loss[1] / static_cast<float>(steps);
    if (!policy) return;
    entry["loss_u"] = loss[2] / static_cast<float>(steps);
    entry["loss_n"] = loss[3] / static_cast<float>(steps);
    const torch::Tensor by_class = by_class_.to(torch::kCPU), total = by_class.sum(0);
    const auto sums = by_class.accessor<float, 2>();
    const auto all = total.accessor<float, 1>();
    const torch::Tensor thresholds = policy->thresholds();
    for (std::size_t k = 0; k < labels.size(); ++k) {
      const auto c = static_cast<std::int64_t>(k);
      entry["thresholds"][labels[k]] = thresholds[c].item<float>();
      entry["pseudo_labels"][labels[k]] = number_or_null(sums[c][kSeen], all[kSeen]);
      entry["accept_rates"][labels[k]] = number_or_null(sums[c][kWeight], sums[c][kSeen]);
      entry["purities"][labels[k]] = number_or_null(sums[c][kRight], sums[c][kKnown]);
    }
    entry["accept_rate"] = number_or_null(all[kWeight], all[kSeen]);
    entry["purity"] = number_or_null(all[kRight], all[kKnown]);
    const torch::Tensor negatives_here = negatives_.to(torch::kCPU);
    const auto negative = negatives_here.accessor<float, 1>();
    entry["negatives"] = number_or_null(negative[1], negative[0]);
    entry["negative_errors"] = number_or_null(negative[2], negative[1]);
  }

  torch::Tensor losses;  ///< All, labelled, pseudo-labels, negatives.

 private:
  enum Column { kSeen, kWeight, kKnown, kRight, kColumns };
  torch::Tensor by_class_;
  torch::Tensor negatives_;  ///< Rows, classes ruled out, and how many of these were the truth.
};

ModelInfo info_of(const SemiData& data, const SemiConfig& config, PixelStats stats) {
  const PackedInfo& p = data.info;
  require_fit(config.network, p);
  ModelInfo info;
  info.network = config.network;
  info.labels = p.labels;
  info.mean = stats.mean;
  info.stddev = stats.stddev;
  info.align_template = p.crops.align_template;
  std::vector<Sample> samples;
  for (const auto& target : data.targets) samples.push_back({0, target});
  info.prior = class_shares(samples, /*balance=*/1);
  return info;
}

/// Of all faces: it takes no label to know how bright they are, and few would say it badly.
PixelStats stats_of(const SemiData& data) {
  PixelSums sums;
  for (const auto* faces : {&data.labelled, &data.unlabelled})
    for (const FaceRef& face : *faces) sums.add(face.crop());
  return sums.stats();
}

/// Which faces carry which label, as a number: a run does not go on with others.
std::uint64_t fingerprint_of(const SemiData& data) {
  std::uint64_t hash = data.unlabelled.size();
  for (const auto* faces : {&data.labelled, &data.unlabelled, &data.valid})
    hash = fingerprint(hash, *faces);
  return hash;
}

void require_start_and_views(const SemiConfig& config) {
  require_frozen_blocks(config);
  if ((config.frozen_blocks > 0) != (config.cache != nullptr) ||
      (config.frozen_blocks > 0 && !config.init))
    throw std::runtime_error("frozen blocks need a start, and views of the faces as they see them");
}

/// Empty for a method that learns nothing from unlabelled faces.
std::unique_ptr<ThresholdPolicy> thresholds_of(const SemiData& data, const SemiConfig& config) {
  if (config.method.thresholds.empty()) return nullptr;
  if (data.unlabelled.empty() || config.mu == 0) {
    throw std::runtime_error("method \"" + config.method.name +
                             "\" learns from unlabelled faces, but there are none left");
  }
  return make_threshold_policy(config.method.thresholds, static_cast<int>(data.info.labels.size()),
                               static_cast<std::int64_t>(data.unlabelled.size()));
}

/// The run's task: see train_semi_supervised().
class SemiSupervised : public TrainingTask {
 public:
  SemiSupervised(const SemiData& data, const SemiConfig& config, const std::filesystem::path& out,
                 ProcessGroup* group)
      : data_(data),
        config_(config),
        group_(group),
        part_(group ? group->part(config.batch) : BatchPart{}),
        classes_(static_cast<int>(data.info.labels.size())),
        device_(compute_device(config.device, group)),
        stats_(config.init ? config.init.stats() : stats_of(data)),
        thresholds_(thresholds_of(data, config)),
        negatives_(make_negative_policy(config.method.negatives, classes_)),
        warmup_(config.warmup >= 0 ? config.warmup : config.steps / 20),
        run_(info_of(data, config, stats_),
             {.momentum = config.momentum,
              .weight_decay = config.weight_decay,
              .ema = config.ema,
              .seed = config.seed,
              .init = config.init,
              .device = device_,
              .group = group},
             out) {
    for (const FaceRef& face : data.valid) {
      valid_.rows.push_back(face.row);
      valid_.labels.push_back(face.label);
    }
    if (thresholds_)
      run_.enable_sync_bn({config.batch, config.mu * config.batch});
    else
      run_.enable_sync_bn({config.batch});
    json identity = config;
    identity.erase("threads");
    identity.erase("device");
    identity["faces"] = fingerprint_of(data);
    run_.extra["accepted"] = torch::zeros({classes_});
    run_.resume(identity);
    run_.extra["accepted"] = run_.extra["accepted"].to(device_);
    if (thresholds_) {
      thresholds_->load_state(thresholds_from_checkpoint());
      unlabelled_ = std::make_unique<UnlabelledStep>(*thresholds_, *negatives_, classes_, device_);
    }
  }

  TrainResult go(const TrainingHooks& hooks, const std::atomic<bool>& stop) {
    return run_training_loop(run_, *this,
                             {.epochs = epochs(),
                              .images_per_step = images_per_step(),
                              .seed = config_.seed,
                              .score = config_.select.c_str()},
                             hooks, stop);
  }

  int begin_epoch(int) override {
    if (!batches_) make_batches();
    run_.network->train();
    sums_.emplace(classes_, device_);
    waited_ = 0;
    return std::min(config_.epoch_steps, config_.steps - first_step());
  }

  void step(int step) override {
    const auto asked = SteadyClock::now();
    const SemiBatch batch = batches_->next().to(device_);
    waited_ += seconds_since(asked);
    learn(batch, first_step() + step, *sums_);
  }

  double mean_loss(int steps) override {
    return run_.mean(sums_->losses[0]).item<double>() / steps;
  }

  json validate(int steps, double seconds) override {
    if (thresholds_) {
      thresholds_->take(unlabelled_->numbers());
      for (const auto& [name, tensor] : thresholds_->state())
        run_.extra["thresholds." + name] = tensor;
    }
    if (group_) sums_->gather(*group_);
    json entry;
    sums_->write(entry, steps, data_.info.labels, thresholds_.get());
    entry["step"] = first_step() + steps;
    entry["learning_rate"] = rate(first_step() + steps - 1);
    entry["images_per_second"] = steps * images_per_step() / seconds;
    entry["data_share"] = waited_ / seconds;
    if (thresholds_) entry["never_accepted"] = never_accepted();
    write_validation(entry, confusion_of(run_.average, *data_.valid.front().data, valid_,
                                         data_.info.labels, stats_, config_.bf16, group_));
    return entry;
  }

  void save(const std::filesystem::path& path, const json& entry) const override {
    run_.save(path, entry, {{"train", config_}, {"data", data_.info.source}},
              thresholds_ ? thresholds_->describe() : json());
  }

 private:
  /// Makes the batches from the current epoch to the end of the run. On a device the views are made
  /// there, from faces that stay there.
  void make_batches() {
    const ViewSettings look{stats_, config_.weak, config_.strong};
    const kernels::KernelTable* table = config_.cache ? nullptr : kernels_for(device_);
    if (config_.cache)
      views_ = config_.cache;
    else if (table)
      views_ = std::make_shared<ResidentViews>(data_, look, device_, table);
    else
      views_ = std::make_shared<FreshViews>(look, device_);
    batches_ = std::make_unique<SemiBatches>(
        data_, *views_,
        SemiBatchConfig{config_.batch, thresholds_ ? config_.mu : 0, config_.weak_views,
                        config_.seed, part_, device_},
        first_step());
  }

  int epochs() const { return (config_.steps + config_.epoch_steps - 1) / config_.epoch_steps; }
  int first_step() const { return run_.epoch * config_.epoch_steps; }
  int images_per_step() const { return config_.batch * (1 + (thresholds_ ? config_.mu : 0)); }

  /// What the checkpoint gave back, or the fresh state where there was none.
  std::map<std::string, torch::Tensor> thresholds_from_checkpoint() const {
    auto state = thresholds_->state();
    for (auto& [name, tensor] : state) {
      const auto it = run_.extra.find("thresholds." + name);
      if (it != run_.extra.end()) tensor = it->second;
    }
    return state;
  }

  void learn(const SemiBatch& batch, int step, EpochSums& sums) {
    Bf16Scope bf16(config_.bf16, device_);
    const auto labelled = batch.labelled.size(0);
    torch::Tensor images = batch.labelled;
    PolicyStep shown;
    if (thresholds_) {
      const auto unlabelled = batch.strong.size(0), weak = batch.weak.size(0);
      const bool both = thresholds_->uses_labelled();
      const torch::Tensor teacher =
          ask_teacher(both ? torch::cat({batch.weak, batch.labelled}) : batch.weak);
      // Policies learn from the whole batch, so that they know the same in every process.
      shown.unlabelled = all(teacher.narrow(0, 0, weak).view({-1, unlabelled, classes_}).mean(0));
      if (both) shown.labelled = all(teacher.narrow(0, weak, labelled));
      shown.labels = all(batch.labels);
      shown.step = step;
      shown.epoch = run_.epoch;
      images = torch::cat({batch.labelled, batch.strong});
    }
    const torch::Tensor logits = forward(run_.network, images);
    const Method& m = config_.method;
    const torch::Tensor x = soft_cross_entropy(logits.narrow(0, 0, labelled), batch.targets);
    if (!thresholds_) {
      const torch::Tensor loss = m.lambda_x * x;
      loss.backward();
      run_.step(rate(step));
      return sums.add_losses(loss, x, torch::zeros({2}, loss.options()));
    }
    const torch::Tensor strong = logits.narrow(0, labelled, logits.size(0) - labelled);
    const double rise = warmup_ > 0 ? std::min(1.0, (step + 1.0) / warmup_) : 1.0;
    const double lambda_u = rise * m.lambda_u, lambda_n = rise * m.lambda_n;
    const UnlabelledLosses learnt = (*unlabelled_)(shown, all(strong.detach()), lambda_u, lambda_n);
    // Of the mean over the rows here, as the labelled loss: the processes' gradients are averaged.
    const torch::Tensor gradient = part_.of(learnt.gradient).to(strong.scalar_type()) * part_.size;
    torch::autograd::backward({m.lambda_x * x, strong}, {torch::ones_like(x), gradient});
    run_.step(rate(step));

    const torch::Tensor loss =
        m.lambda_x * x.detach() + lambda_u * learnt.losses[0] + lambda_n * learnt.losses[1];
    sums.add_losses(loss, x, learnt.losses);
    const PseudoLabels& of_all = learnt.pseudo;
    sums.add_pseudo_labels(
        {part_.of(of_all.labels), part_.of(of_all.confidence), part_.of(of_all.weights)},
        batch.truth);
    if (m.lambda_n > 0) sums.add_negatives(part_.of(learnt.chosen), batch.truth);
    run_.extra["accepted"].index_add_(0, of_all.labels, of_all.accepted().to(torch::kFloat));
  }

  /// The rows of all processes.
  torch::Tensor all(const torch::Tensor& own) const {
    return group_ ? group_->gather_rows(own) : own;
  }

  /// The teacher's probabilities.
  torch::Tensor ask_teacher(const torch::Tensor& images) {
    torch::NoGradGuard no_grad;
    return torch::softmax(forward(run_.average, images), 1);
  }

  /// Logits of views as the batches hold them.
  torch::Tensor forward(Network& network, const torch::Tensor& views) const {
    const torch::Tensor x = views.contiguous(torch::MemoryFormat::ChannelsLast);
    return config_.cache ? network->head_blocks(x, static_cast<std::size_t>(config_.frozen_blocks))
                         : network(x);
  }

  double rate(int step) const {
    return config_.learning_rate * warm_cosine(step, 1, warmup_, config_.steps);
  }

  json never_accepted() const {
    const torch::Tensor counts = run_.extra.at("accepted").to(torch::kCPU);
    const auto accepted = counts.accessor<float, 1>();
    json never = json::array();
    for (std::size_t k = 0; k < data_.info.labels.size(); ++k)
      if (accepted[static_cast<std::int64_t>(k)] == 0) never.push_back(data_.info.labels[k]);
    return never;
  }

  const SemiData& data_;
  const SemiConfig config_;
  ProcessGroup* const group_;  ///< nullptr: one process.
  const BatchPart part_;
  const int classes_;
  const torch::Device device_;
  const PixelStats stats_;
  const std::unique_ptr<ThresholdPolicy>
      thresholds_;  ///< Empty: nothing unlabelled is learnt from.
  const std::unique_ptr<NegativePolicy> negatives_;
  const int warmup_;
  LabelledRows valid_;
  TrainingRun run_;
  std::unique_ptr<UnlabelledStep> unlabelled_;  ///< With `thresholds_`, whose state it moves.
  std::shared_ptr<const FaceViews> views_;
  std::unique_ptr<SemiBatches> batches_;
  std::optional<EpochSums> sums_;  ///< Of the current epoch.
  double waited_ = 0;              ///< Seconds that it waited for batches.
};

}  // namespace

void require_frozen_blocks(const SemiConfig& config) {
  const int blocks = std::accumulate(config.network.depths.begin(), config.network.depths.end(), 0);
  if (config.frozen_blocks >= 0 && config.frozen_blocks <= blocks) return;
  throw std::runtime_error("expected 0 to " + std::to_string(blocks) +
                           " frozen blocks, as many as the network has, found " +
                           std::to_string(config.frozen_blocks));
}

void to_json(json& j, const SemiConfig& c) {
  j = {{"network", c.network},
       {"method", c.method},
       {"weak", {{"flip", c.weak.flip}, {"shift", c.weak.shift}}},
       {"strong",
        {{"flip", c.strong.flip},
         {"shift", c.strong.shift},
         {"operations", c.strong.operations},
         {"apply", c.strong.apply},
         {"strength", c.strong.strength},
         {"cutout", c.strong.cutout}}},
       {"steps", c.steps},
       {"epoch_steps", c.epoch_steps},
       {"batch", c.batch},
       {"mu", c.mu},
       {"warmup", c.warmup},
       {"learning_rate", c.learning_rate},
       {"weight_decay", c.weight_decay},
       {"momentum", c.momentum},
       {"ema", c.ema},
       {"select", c.select},
       {"bf16", c.bf16},
       {"device", c.device},
       {"threads", c.threads},
       {"seed", c.seed}};
  // Absent rather than null where there is none, as in the checkpoints of older runs.
  if (c.init) j["init"] = c.init.version();
  if (c.weak_views != 1) j["weak_views"] = c.weak_views;
  if (c.frozen_blocks > 0) {
    j["frozen_blocks"] = c.frozen_blocks;
    j["views"] = c.views;
  }
}

TrainResult train_semi_supervised(const SemiData& data, const SemiConfig& config,
                                  const std::filesystem::path& out,
                                  const std::function<void(const TrainProgress&)>& on_progress,
                                  const std::function<void(const json&)>& on_epoch,
                                  const std::atomic<bool>& stop, ProcessGroup* group) {
  require_start_and_views(config);
  prepare_process(config.threads, group);
  return SemiSupervised(data, config, out, group).go({on_progress, on_epoch}, stop);
}

}  // namespace fer
