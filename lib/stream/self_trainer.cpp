#include "stream/self_trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "learn/losses/losses.h"
#include "network/torch_seed.h"
#include "stream/latent_codec.h"

namespace fer {
namespace {

/// One purpose per random stream, so that no two uses of the seed share one.
enum Purpose { kDraw = 1, kReplay, kWeak, kStrong, kWhich, kNetwork, kDrop };

/// Share of a latent's channels that a strong view of full strength silences.
constexpr double kDropShare = 0.5;

/// Share that a class counts with among the draws where nothing of it is remembered.
constexpr double kMinShare = 1e-3;

torch::Tensor mean_over(const torch::Tensor& views, const std::vector<std::int64_t>& row_of,
                        std::int64_t rows) {
  const torch::Tensor index = torch::tensor(row_of, torch::kLong);
  const torch::Tensor sums = torch::zeros({rows, views.size(1)}).index_add(0, index, views);
  const torch::Tensor counts =
      torch::zeros({rows}).index_add(0, index, torch::ones({index.size(0)}));
  return sums / counts.unsqueeze(1);
}

/// C x S x S, with each channel silenced at a chance of kDropShare · strength, and the rest scaled
/// so that the mean stays.
torch::Tensor drop_channels(const torch::Tensor& latent, Random& random, double strength) {
  const double share = kDropShare * strength;
  torch::Tensor kept = torch::ones({latent.size(0), 1, 1});
  for (std::int64_t c = 0; c < latent.size(0); ++c)
    kept.data_ptr<float>()[c] =
        random.uniform() < share ? 0.f : static_cast<float>(1 / (1 - share));
  return latent * kept.to(latent.device());
}

}  // namespace

struct SelfTrainer::Batch {
  std::vector<std::size_t> rows;     ///< Items of the memory.
  std::vector<std::int64_t> row_of;  ///< The drawn row of each weak view.
  torch::Tensor weak, strong;        ///< Activations at the split point.
  torch::Tensor agrees;              ///< N, bool: tracklets that agree with themselves.
  Replay::Rows labelled;

  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

SelfTrainer::SelfTrainer(const OnlineConfig& config, const ModelInfo& model,
                         AdaptedNetworks& networks, const Teacher& teacher,
                         std::optional<Replay> replay)
    : config_(config),
      classes_(model.network.classes),
      networks_(networks),
      teacher_(teacher),
      views_(model, torch::Device(config.device)),
      replay_(std::move(replay)),
      kept_prior_(-prior_correction(model.prior, config.keep_prior)),
      thresholds_(new_thresholds()),
      negatives_(make_negative_policy(config.negative_policy, classes_)),
      class_balance_(new_class_balance()) {
  if (thresholds_->cross_fit() || negatives_->cross_fit()) {
    throw std::runtime_error(
        "threshold-policy and negative-policy: expected policies that learn as the stream goes, "
        "found one that fer train fits to its labelled faces");
  }
}

std::unique_ptr<ThresholdPolicy> SelfTrainer::new_thresholds() const {
  // Policies that count over a window look back over as many rows as the memory holds.
  return make_threshold_policy(config_.threshold_policy, classes_,
                               static_cast<std::int64_t>(config_.memory.per_class) * classes_);
}

ClassBalanceCap SelfTrainer::new_class_balance() const {
  return ClassBalanceCap(classes_, config_.max_class_share,
                         std::max(1.0, static_cast<double>(config_.batch) / classes_));
}

Random SelfTrainer::random(int purpose, std::uint64_t steps) const {
  return Random(config_.seed, static_cast<std::uint64_t>(purpose), steps);
}

SelfTrainer::Batch SelfTrainer::draw(const SampleMemory& memory, std::uint64_t steps) {
  Batch batch;
  batch.rows = memory.draw(config_.batch, random(kDraw, steps));
  const std::int64_t n = batch.size();
  batch.agrees = torch::ones({n}, torch::kBool);
  for (std::int64_t i = 0; i < n; ++i) {
    const Evidence& evidence = memory.items()[batch.rows[static_cast<std::size_t>(i)]].evidence;
    batch.agrees[i] = !config_.guards.tracklets || evidence.agrees(config_.tracklet);
  }
  add_views(memory, steps, batch);
  batch.labelled = {torch::Tensor(), torch::empty({0}, torch::kLong)};
  if (replay_ && config_.guards.replay) {
    const double share = config_.replay_share;
    const auto rows = static_cast<int>(std::ceil(static_cast<double>(n) * share / (1 - share)));
    batch.labelled = replay_->draw(rows, random(kReplay, steps), networks_.teacher());
  }
  return batch;
}

void SelfTrainer::add_views(const SampleMemory& memory, std::uint64_t steps, Batch& batch) {
  CropViews::Crops weak_crops, strong_crops;
  std::vector<std::int64_t> strong_rows;  // rows with a picture, in the order of strong_crops
  std::vector<torch::Tensor> weak, strong(batch.rows.size());
  Random which = random(kWhich, steps), dropped = random(kDrop, steps);
  std::vector<std::int64_t> latent_rows;
  std::vector<torch::Tensor> latents;
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const Evidence& evidence = memory.items()[batch.rows[static_cast<std::size_t>(i)]].evidence;
    if (evidence.crops.empty()) {
      latent_rows.push_back(i);
      latents.push_back(decode_latents(evidence.latents, networks_.activation_shape()));
      continue;
    }
    for (const auto& crop : evidence.crops) {
      weak_crops.push_back(crop);
      batch.row_of.push_back(i);
    }
    strong_rows.push_back(i);
    strong_crops.push_back(evidence.crops[which.below(evidence.crops.size())]);
  }
  // All networks share the half below the split point: it computes each view once.
  if (!strong_crops.empty()) {
    weak.push_back(networks_.trunk(views_.weak(weak_crops, random(kWeak, steps))));
    const torch::Tensor seen =
        networks_.trunk(views_.strong(strong_crops, random(kStrong, steps), config_.strength));
    for (std::size_t i = 0; i < strong_rows.size(); ++i)
      strong[static_cast<std::size_t>(strong_rows[i])] = seen[static_cast<std::int64_t>(i)];
  }
  if (!latents.empty()) {
    // A restart kept no picture. The latents are the weak view; channels that fall silent make the
    // strong one (feature perturbation, Yang et al. 2023).
    const torch::Tensor rows = torch::cat(latents).to(networks_.teacher()->device());
    weak.push_back(rows);
    for (std::size_t i = 0; i < latent_rows.size(); ++i) {
      batch.row_of.push_back(latent_rows[i]);
      strong[static_cast<std::size_t>(latent_rows[i])] =
          drop_channels(rows[static_cast<std::int64_t>(i)], dropped, config_.strength);
    }
  }
  batch.weak = torch::cat(weak);
  batch.strong = torch::stack(strong).contiguous(torch::MemoryFormat::ChannelsLast);
}

StepReport SelfTrainer::step(SampleMemory& memory, const StreamLabels& labels, std::uint64_t steps,
                             double rate) {
  if (memory.size() == 0) throw std::logic_error("SelfTrainer: nothing is remembered");
  const Batch batch = draw(memory, steps);
  const std::int64_t m = batch.labelled.labels.size(0);

  PolicyInput shown;
  std::vector<torch::Tensor> asked{batch.weak};
  std::vector<torch::Tensor> truth{batch.labelled.labels};
  if (m > 0) asked.push_back(batch.labelled.activations);
  if (!labels.empty()) {
    asked.push_back(
        labels.activations(networks_.activation_shape()).to(networks_.teacher()->device()));
    truth.push_back(labels.labels());
  }
  // One pass for all rows: a device is waited for once.
  const torch::Tensor told = teacher_.probabilities(torch::cat(asked));
  const std::int64_t views = batch.weak.size(0);
  shown.unlabelled = mean_over(told.narrow(0, 0, views), batch.row_of, batch.size());
  shown.labelled = told.narrow(0, views, told.size(0) - views);
  shown.labels = torch::cat(truth);
  shown.step = static_cast<std::int64_t>(steps);
  shown.epoch = static_cast<int>(steps / static_cast<std::uint64_t>(config_.canary_interval));
  PseudoLabels pseudo = thresholds_->update_and_label(shown);

  StepReport done;
  done.rows = static_cast<int>(batch.size());
  done.labelled_rows = static_cast<int>(m);
  admit(pseudo, batch.agrees, done);
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    memory.relabel(batch.rows[static_cast<std::size_t>(i)],
                   static_cast<int>(pseudo.labels[i].item<std::int64_t>()));
  }
  learn(batch, shown.unlabelled, pseudo, memory, steps, rate, done);
  return done;
}

void SelfTrainer::admit(PseudoLabels& pseudo, const torch::Tensor& agrees, StepReport& done) {
  pseudo.weights = pseudo.weights * agrees.to(torch::kFloat);
  const torch::Tensor accepted = pseudo.accepted();
  std::vector<int> labels;
  std::vector<float> confidences;
  done.accepted.assign(static_cast<std::size_t>(classes_), 0);
  done.proposed.assign(static_cast<std::size_t>(classes_), 0);
  for (std::int64_t i = 0; i < accepted.size(0); ++i) {
    const auto label = static_cast<int>(pseudo.labels[i].item<std::int64_t>());
    ++done.proposed[static_cast<std::size_t>(label)];
    labels.push_back(accepted[i].item<bool>() ? label : -1);
    confidences.push_back(pseudo.confidence[i].item<float>());
  }
  if (config_.guards.class_balance) {
    const std::vector<bool> admitted = class_balance_.admit(labels, confidences);
    for (std::size_t i = 0; i < admitted.size(); ++i) {
      if (admitted[i] || labels[i] < 0) continue;
      labels[i] = -1;
      pseudo.weights[static_cast<std::int64_t>(i)] = 0;
    }
  }
  for (int label : labels)
    if (label >= 0) ++done.accepted[static_cast<std::size_t>(label)];
}

void SelfTrainer::learn(const Batch& batch, const torch::Tensor& teacher,
                        const PseudoLabels& pseudo, const SampleMemory& memory, std::uint64_t steps,
                        double rate, StepReport& done) {
  // Dropout and the like follow from seed and step.
  seed_torch(random(kNetwork, steps)());
  networks_.set_training_mode(config_.guards.freeze_norm);
  const Replay::Rows& labelled = batch.labelled;
  const std::int64_t m = labelled.labels.size(0);
  const torch::Tensor rows =
      m > 0 ? torch::cat({labelled.activations, batch.strong}) : batch.strong;
  const torch::Tensor logits = networks_.student_logits(rows);
  const torch::Tensor stream_logits = logits.narrow(0, m, logits.size(0) - m);
  // The memory shows classes in shares of its own. Logits that are adjusted by a prior learn that
  // prior all the same (Menon et al. 2021).
  const torch::Tensor u = weighted_cross_entropy(stream_logits - kept_prior_ + drawn_prior(memory),
                                                 pseudo.labels, pseudo.weights);

  NegativeStep seen;
  seen.teacher = teacher;
  seen.student = torch::softmax(stream_logits.detach(), 1);
  seen.accepted = pseudo.accepted();
  torch::Tensor negatives = negatives_->select(seen);
  if (config_.guards.agreement) negatives = negatives & batch.agrees.unsqueeze(1);
  const torch::Tensor nl = negative_loss(stream_logits, negatives);
  torch::Tensor loss = config_.lambda_u * u + config_.lambda_n * nl;
  if (m > 0) {
    const torch::Tensor x = replay_loss(logits.narrow(0, 0, m), labelled);
    loss = loss + config_.lambda_x * x;
    done.loss_x = x.item<double>();
  }
  done.loss = loss.item<double>();
  done.loss_u = u.item<double>();
  done.loss_n = nl.item<double>();
  done.negatives = static_cast<int>(negatives.sum().item<std::int64_t>());
  if (!std::isfinite(done.loss)) return;  // the judge throws the candidate away
  loss.backward();
  networks_.step(config_.learning_rate * rate);
  if (config_.guards.weight_anchor) networks_.anchor_to_source(config_.weight_anchor);
  networks_.average(config_.guards.teacher ? config_.ema : 0);
}

torch::Tensor SelfTrainer::replay_loss(const torch::Tensor& logits, const Replay::Rows& labelled) {
  const double distilled = config_.distillation_weight;
  torch::Tensor loss = torch::zeros({});
  if (distilled > 0) {
    const torch::Tensor said = torch::softmax(networks_.source_logits(labelled.activations), 1);
    loss = loss - distilled * (said * torch::log_softmax(logits, 1)).sum(1).mean();
  }
  // The replay shows each class equally often, hence the prior here, too.
  if (distilled < 1) {
    loss = loss + (1 - distilled) *
                      torch::nn::functional::cross_entropy(logits - kept_prior_, labelled.labels);
  }
  return loss;
}

/// Logarithm of each class's share among the draws from the memory.
torch::Tensor SelfTrainer::drawn_prior(const SampleMemory& memory) const {
  if (!config_.guards.memory) return torch::zeros({classes_});  // drawn in the stream's order
  return torch::tensor(memory.shares(), torch::kFloat).clamp_min(kMinShare).log();
}

void SelfTrainer::restore(std::unique_ptr<ThresholdPolicy> thresholds,
                          const std::vector<double>& accepted) {
  thresholds_ = std::move(thresholds);
  class_balance_.restore(accepted);
}

void SelfTrainer::forget() {
  thresholds_ = new_thresholds();
  class_balance_ = new_class_balance();
}

}  // namespace fer
