#include "learn/semi/ssl_trainer.h"

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
#include "learn/features/feature_views.h"
#include "learn/features/fit_face_gate.h"
#include "learn/losses/losses.h"
#include "learn/losses/unsupervised_loss.h"
#include "learn/policies/negative_policy.h"
#include "learn/policies/threshold_policy.h"
#include "learn/run/training_loop.h"
#include "learn/run/training_run.h"
#include "learn/semi/base_head.h"
#include "learn/semi/epoch_sums.h"
#include "learn/semi/pseudo_labeller.h"
#include "learn/semi/ssl_batches.h"
#include "learn/supervised/trainer.h"
#include "util/elapsed.h"

namespace fer {
namespace {

using nlohmann::json;

ModelInfo info_of(const SslData& data, const SslConfig& config, PixelStats stats) {
  const PackedInfo& p = data.info;
  // Maps that a frozen trunk made of crops of another size fit as they are.
  if (!config.light_head) require_fit(config.network, p);
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
PixelStats stats_of(const SslData& data) {
  PixelSums sums;
  for (const auto* faces : {&data.labelled, &data.unlabelled})
    for (const FaceRef& face : *faces) sums.add(face.crop());
  return sums.stats();
}

/// Which faces carry which label, as a number: a run does not go on with others.
std::uint64_t fingerprint_of(const SslData& data) {
  std::uint64_t hash = data.unlabelled.size();
  for (const auto* faces : {&data.labelled, &data.unlabelled, &data.valid})
    hash = fingerprint(hash, *faces);
  return hash;
}

void require_start_and_views(const SslConfig& config) {
  require_frozen_blocks(config);
  if ((config.frozen_blocks > 0) != (config.features != nullptr) ||
      (config.frozen_blocks > 0 && !config.init))
    throw std::runtime_error("frozen blocks need a start, and the faces' features above them");
}

/// Empty for a method that learns nothing from unlabelled faces.
std::unique_ptr<ThresholdPolicy> thresholds_of(const SslData& data, const SslConfig& config) {
  if (config.method.thresholds.empty()) return nullptr;
  if (data.unlabelled.empty() || config.mu == 0) {
    throw std::runtime_error("method \"" + config.method.name +
                             "\" learns from unlabelled faces, but there are none left");
  }
  if (config.method.map_heads && !config.features) {
    throw std::runtime_error("method \"" + config.method.name +
                             "\" labels by frozen maps: expected features; make them with: fer "
                             "pack --features");
  }
  return make_threshold_policy(config.method.thresholds, static_cast<int>(data.info.labels.size()),
                               static_cast<std::int64_t>(data.unlabelled.size()));
}

/// Faces that go through the network at once where nothing is learnt.
constexpr std::size_t kChunk = 256;
/// Unlabelled faces by which their mix of classes is estimated.
constexpr std::size_t kPool = 1500;

/// The run's task: see train_semi_supervised().
class SslRun : public TrainingTask {
 public:
  SslRun(const SslData& data, const SslConfig& config, const std::filesystem::path& out,
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
              .trunk_blocks = config.light_head ? config.frozen_blocks : 0,
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
    if (thresholds_) start_unlabelled();
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
    const SslBatch batch = batches_->next().to(device_);
    waited_ += seconds_since(asked);
    if (thresholds_ && labeller_->begin_step(first_step() + step)) {
      unlabelled_->set_state(thresholds_->state());
      unlabelled_->set_negatives(negatives_->rule());
    }
    learn(batch, first_step() + step, *sums_);
  }

  double mean_loss(int steps) override {
    return run_.mean(sums_->losses[0]).item<double>() / steps;
  }

  json validate(int steps, double seconds) override {
    if (thresholds_) {
      thresholds_->set_state(unlabelled_->state());
      keep_unlabelled_state();
    }
    if (group_) sums_->gather(*group_);
    json entry;
    sums_->write(entry, steps, data_.info.labels, thresholds_.get());
    entry["step"] = first_step() + steps;
    entry["learning_rate"] = rate(first_step() + steps - 1);
    entry["images_per_second"] = steps * images_per_step() / seconds;
    entry["data_share"] = waited_ / seconds;
    if (thresholds_) entry["never_accepted"] = never_accepted();
    write_validation(entry, confusion_on(*views_));
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
    const kernels::KernelTable* table = config_.features ? nullptr : kernels_for(device_);
    if (config_.features)
      views_ = config_.features;
    else if (table)
      views_ = std::make_shared<ResidentViews>(data_, look, device_, table);
    else
      views_ = std::make_shared<FreshViews>(look, device_);
    batches_ = std::make_unique<SslBatches>(
        data_, *views_,
        SslBatchConfig{config_.batch, thresholds_ ? config_.mu : 0, config_.weak_views,
                       config_.seed, part_, device_},
        first_step());
  }

  int epochs() const { return (config_.steps + config_.epoch_steps - 1) / config_.epoch_steps; }
  int first_step() const { return run_.epoch * config_.epoch_steps; }
  int images_per_step() const { return config_.batch * (1 + (thresholds_ ? config_.mu : 0)); }

  /// The tensors of the checkpoint whose names begin so, without the beginning.
  std::map<std::string, torch::Tensor> kept(const std::string& prefix) const {
    std::map<std::string, torch::Tensor> state;
    for (const auto& [name, tensor] : run_.extra)
      if (name.starts_with(prefix)) state[name.substr(prefix.size())] = tensor;
    return state;
  }
  void keep(const std::string& prefix, const std::map<std::string, torch::Tensor>& state) {
    for (const auto& [name, tensor] : state) run_.extra[prefix + name] = tensor;
  }

  /// What unlabelled rows need, as the checkpoint has it or from nothing.
  void start_unlabelled() {
    if (const auto state = kept("thresholds."); !state.empty()) thresholds_->load_state_dict(state);
    CrossFitSource source;
    for (const FaceRef& face : data_.labelled) source.labels.push_back(face.label);
    source.names = data_.info.labels;
    source.labelled = [this] { return teacher_features(data_.labelled); };
    source.pool = [this] { return teacher_features(pool_sample()); };
    labeller_ = make_pseudo_labeller(config_.method, *thresholds_, *negatives_, source);
    if ((thresholds_->cross_fit() || negatives_->cross_fit()) && group_)
      throw std::runtime_error("cross-fitted policies: expected one process, found several");
    labeller_->load_state_dict(kept("labeller."));
    unlabelled_ = std::make_unique<UnsupervisedLoss>(*thresholds_, *negatives_, classes_, device_);
    if (!config_.method.balanced_head) return;
    if (group_) throw std::runtime_error("a balanced head: expected one process, found several");
    base_.emplace(run_.network->head->options.in_features(), classes_, config_.momentum,
                  config_.weight_decay, device_);
    base_->load_state_dict(kept("base."));
    base_thresholds_ = make_threshold_policy(config_.method.thresholds, classes_, 1);
    base_negatives_ = make_negative_policy("none", classes_);
    base_loss_ =
        std::make_unique<UnsupervisedLoss>(*base_thresholds_, *base_negatives_, classes_, device_);
  }

  void keep_unlabelled_state() {
    if (!thresholds_) return;
    keep("thresholds.", thresholds_->state_dict());
    keep("labeller.", labeller_->state_dict());
    if (base_) keep("base.", base_->state_dict());
  }

  /// Of the teacher on split valid.
  Confusion confusion_on(const FaceViews& views) {
    if (!views.plain({data_.valid.front()}).defined())
      return confusion_of(run_.average, *data_.valid.front().data, valid_, data_.info.labels,
                          stats_, config_.bf16, group_);
    torch::NoGradGuard no_grad;
    Bf16Scope bf16(config_.bf16, device_);
    Confusion confusion(data_.info.labels);
    for (std::size_t first = 0; first < data_.valid.size(); first += kChunk) {
      const std::vector<FaceRef> faces = chunk_of(data_.valid, first);
      const torch::Tensor predicted =
          forward(run_.average, views.plain(faces).to(device_)).argmax(1).to(torch::kCPU);
      for (std::size_t i = 0; i < faces.size(); ++i)
        confusion.add(
            faces[i].label,
            static_cast<int>(predicted[static_cast<std::int64_t>(i)].item<std::int64_t>()));
    }
    return confusion;
  }

  static std::vector<FaceRef> chunk_of(const std::vector<FaceRef>& faces, std::size_t first) {
    const auto begin = faces.begin() + static_cast<std::ptrdiff_t>(first);
    return {begin, begin + static_cast<std::ptrdiff_t>(std::min(kChunk, faces.size() - first))};
  }

  /// What cross-fitted heads see of unchanged views: N x D.
  torch::Tensor teacher_features(const std::vector<FaceRef>& faces) {
    torch::NoGradGuard no_grad;
    Bf16Scope bf16(config_.bf16, device_);
    std::vector<torch::Tensor> all;
    for (std::size_t first = 0; first < faces.size(); first += kChunk) {
      const std::vector<FaceRef> some = chunk_of(faces, first);
      torch::Tensor views = config_.features ? config_.features->plain(some) : torch::Tensor();
      if (config_.method.map_heads) {
        all.push_back(pooled_maps(views, kHeadGrid));
        continue;
      }
      if (!views.defined()) {
        std::vector<std::span<const std::uint8_t>> crops;
        for (const FaceRef& face : some) crops.push_back(face.crop());
        views = plain_images(crops, data_.info.crops.channels, data_.info.crops.side, stats_);
      }
      all.push_back(features(run_.average, views.to(device_)).to(torch::kFloat));
    }
    return torch::cat(all);
  }

  /// Some of the unlabelled faces, the same in each call.
  std::vector<FaceRef> pool_sample() const {
    const std::size_t every = std::max<std::size_t>(1, data_.unlabelled.size() / kPool);
    std::vector<FaceRef> sample;
    for (std::size_t i = 0; i < data_.unlabelled.size() && sample.size() < kPool; i += every)
      sample.push_back(data_.unlabelled[i]);
    return sample;
  }

  void learn(const SslBatch& batch, int step, EpochSums& sums) {
    Bf16Scope bf16(config_.bf16, device_);
    const auto labelled = batch.labelled.size(0);
    torch::Tensor images = batch.labelled;
    PolicyInput shown;
    TeacherOutput taught;
    if (thresholds_) {
      const auto unlabelled = batch.strong.size(0), weak = batch.weak.size(0);
      const bool both = thresholds_->uses_labelled();
      taught = ask_teacher(both ? torch::cat({batch.weak, batch.labelled}) : batch.weak);
      const torch::Tensor teacher = probabilities(taught, weak);
      // Policies learn from the whole batch, so that they know the same in every process.
      shown.unlabelled = all(teacher.narrow(0, 0, weak).view({-1, unlabelled, classes_}).mean(0));
      if (both) shown.labelled = all(teacher.narrow(0, weak, labelled));
      shown.labels = all(batch.labels);
      shown.step = step;
      shown.epoch = run_.epoch;
      images = torch::cat({batch.labelled, batch.strong});
    }
    const torch::Tensor seen = features(run_.network, images);
    const torch::Tensor logits = run_.network->classify(seen);
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
    const torch::Tensor shift = labeller_->student_shift();
    const torch::Tensor judged =
        shift.defined() ? strong.detach() + shift.to(device_) : strong.detach();
    UnsupervisedLosses learnt = (*unlabelled_)(shown, all(judged), lambda_u, lambda_n);
    if (const torch::Tensor q = labeller_->soft_labels(shown.unlabelled); q.defined())
      teach_softly(learnt, all(judged), q, lambda_u);
    // Of the mean over the rows here, as the labelled loss: the processes' gradients are averaged.
    const torch::Tensor gradient = part_.of(learnt.gradient).to(strong.scalar_type()) * part_.size;
    if (base_) {
      learn_with_base(batch, taught, seen, m.lambda_x * x, strong, gradient, lambda_u, learnt,
                      step);
    } else {
      torch::autograd::backward({m.lambda_x * x, strong}, {torch::ones_like(x), gradient});
    }
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

  /// Replaces the loss of the pseudo-labels by that of soft ones (N x C), in place: all rows count.
  static void teach_softly(UnsupervisedLosses& learnt, const torch::Tensor& student,
                           const torch::Tensor& soft, double lambda_u) {
    const PseudoLabels& hard = learnt.pseudo;
    const torch::Tensor p = torch::softmax(student, 1);
    const torch::Tensor of_hard =
        hard.weights.unsqueeze(1) * (p - torch::one_hot(hard.labels, student.size(1)));
    const double scale = lambda_u / static_cast<double>(std::max<std::int64_t>(1, student.size(0)));
    learnt.gradient += scale * ((p - soft) - of_hard);
    learnt.losses[0] = soft_cross_entropy(student, soft);
    learnt.pseudo.weights = torch::ones_like(hard.weights);
  }

  /// The rows of all processes.
  torch::Tensor all(const torch::Tensor& own) const {
    return group_ ? group_->gather_rows(own) : own;
  }

  /// ABC: both heads learn, and the network below from both. `x`: the balanced head's labelled
  /// loss, `gradient` at its logits of the strong views.
  void learn_with_base(const SslBatch& batch, const TeacherOutput& taught,
                       const torch::Tensor& seen, const torch::Tensor& x,
                       const torch::Tensor& strong, const torch::Tensor& gradient, double lambda_u,
                       const UnsupervisedLosses& learnt, int step) {
    const auto labelled = batch.labelled.size(0), unlabelled = batch.strong.size(0);
    const torch::Tensor logits = base_->logits(seen);
    const torch::Tensor base_x = soft_cross_entropy(logits.narrow(0, 0, labelled), batch.targets);
    const torch::Tensor base_strong = logits.narrow(0, labelled, unlabelled);
    PolicyInput shown;
    {
      torch::NoGradGuard no_grad;
      shown.unlabelled = torch::softmax(base_->teacher_logits(taught.features), 1)
                             .view({-1, unlabelled, classes_})
                             .mean(0);
    }
    shown.step = step;
    base_->observe(shown.unlabelled);
    const UnsupervisedLosses of_base = (*base_loss_)(shown, base_strong.detach(), lambda_u, 0);
    const torch::Tensor mask = base_->mask(learnt.pseudo.labels).unsqueeze(1);
    torch::autograd::backward(
        {x, strong, base_x, base_strong},
        {torch::ones_like(x), gradient * mask.to(gradient.scalar_type()), torch::ones_like(base_x),
         of_base.gradient.to(base_strong.scalar_type())});
    base_->step(rate(step), config_.ema, step);
  }

  TeacherOutput ask_teacher(const torch::Tensor& images) {
    torch::NoGradGuard no_grad;
    const torch::Tensor seen = features(run_.average, images);
    return {run_.average->classify(seen), seen, config_.features ? images : torch::Tensor()};
  }

  /// By which the rows are labelled; the first `weak` are unlabelled ones.
  torch::Tensor probabilities(const TeacherOutput& taught, std::int64_t weak) {
    torch::NoGradGuard no_grad;
    const auto part = [&](std::int64_t first, std::int64_t count) {
      return TeacherOutput{
          taught.logits.narrow(0, first, count), taught.features.narrow(0, first, count),
          taught.maps.defined() ? taught.maps.narrow(0, first, count) : torch::Tensor()};
    };
    const torch::Tensor unlabelled = labeller_->probabilities(part(0, weak));
    const std::int64_t rest = taught.logits.size(0) - weak;
    if (rest == 0) return unlabelled;
    return torch::cat({unlabelled, labeller_->probabilities_of_labelled(part(weak, rest))});
  }

  /// What the head sees of views as the batches hold them.
  torch::Tensor features(Network& network, const torch::Tensor& views) const {
    // Features lie there in bfloat16, images do not.
    const torch::Tensor x = (config_.bf16 ? views : views.to(torch::kFloat))
                                .contiguous(torch::MemoryFormat::ChannelsLast);
    return config_.features
               ? network->features_above(x, static_cast<std::size_t>(config_.frozen_blocks))
               : network->features(x);
  }
  torch::Tensor forward(Network& network, const torch::Tensor& views) const {
    return network->classify(features(network, views));
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

  const SslData& data_;
  const SslConfig config_;
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
  std::unique_ptr<UnsupervisedLoss> unlabelled_;  ///< With `thresholds_`, whose state it moves.
  std::unique_ptr<PseudoLabeller> labeller_;      ///< With `thresholds_`.
  /// With a balanced head: the other one, which learns by itself.
  std::optional<BaseHead> base_;
  std::unique_ptr<ThresholdPolicy> base_thresholds_;
  std::unique_ptr<NegativePolicy> base_negatives_;
  std::unique_ptr<UnsupervisedLoss> base_loss_;
  std::shared_ptr<const FaceViews> views_;
  std::unique_ptr<SslBatches> batches_;
  std::optional<EpochSums> sums_;  ///< Of the current epoch.
  double waited_ = 0;              ///< Seconds that it waited for batches.
};

}  // namespace

void require_frozen_blocks(const SslConfig& config) {
  const int blocks = std::accumulate(config.network.depths.begin(), config.network.depths.end(), 0);
  if (config.frozen_blocks >= 0 && config.frozen_blocks <= blocks) return;
  throw std::runtime_error("expected 0 to " + std::to_string(blocks) +
                           " frozen blocks, as many as the network has, found " +
                           std::to_string(config.frozen_blocks));
}

void to_json(json& j, const SslConfig& c) {
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
    j["drop_channels"] = c.drop_channels;
  }
  if (c.light_head) j["light_head"] = true;
}

TrainResult train_semi_supervised(const SslData& data, const SslConfig& config,
                                  const std::filesystem::path& out,
                                  const std::function<void(const TrainProgress&)>& on_progress,
                                  const std::function<void(const json&)>& on_epoch,
                                  const std::atomic<bool>& stop, ProcessGroup* group) {
  require_start_and_views(config);
  prepare_process(config.threads, group);
  return SslRun(data, config, out, group).go({on_progress, on_epoch}, stop);
}

}  // namespace fer
