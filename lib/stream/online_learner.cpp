#include "stream/online_learner.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "learn/data/batches.h"
#include "learn/losses/losses.h"
#include "learn/policies/negative_policy.h"
#include "learn/policies/threshold_policy.h"
#include "learn/run/checkpoint.h"
#include "model/device_name.h"
#include "model/model_file.h"
#include "model/torch_seed.h"
#include "stream/adapted_networks.h"
#include "stream/canary.h"
#include "stream/crop_views.h"
#include "stream/familiarity.h"
#include "stream/gates.h"
#include "stream/labelled_faces.h"
#include "stream/learner_counts.h"
#include "stream/memory_state.h"
#include "stream/promotions.h"
#include "stream/replay.h"
#include "stream/sample_memory.h"
#include "stream/share_cap.h"
#include "stream/tracklet.h"

namespace fer {
namespace {

using nlohmann::json;
using Tensors = AdaptedNetworks::Tensors;
using Crops = CropViews::Crops;

/// What a random stream is for, so that no two uses of the seed share one.
enum Purpose : std::uint64_t { kDraw = 1, kReplay, kWeak, kStrong, kWhich, kNetwork };

/// Faces of a class that judge a candidate, at most: more cost time and tell little more.
constexpr int kCanaryPerClass = 100;
/// The step size is halved at each rollback, but not below this share of what was asked for.
constexpr double kLeastRate = 1.0 / 16;
/// Of a class of which nothing is remembered, among what is drawn.
constexpr double kLeastShare = 1e-3;
/// So many rollbacks in a row, and what is remembered is what misleads.
constexpr int kMisled = 2;

OnlineConfig checked(OnlineConfig config) {
  config.check();
  if (!config.guards.tracklets) config.tracklet.seconds = 0;  // each frame ends the one before
  config.device = resolve_device(config.device);
  return config;
}

}  // namespace

class OnlineLearner::Impl {
 public:
  Impl(const ModelFile& source, const Labelled& labelled, const OnlineConfig& config)
      : config_(checked(config)),
        given_(source),
        source_(with_calibration_in_head(source)),
        classes_(source.info.network.classes),
        crop_bytes_(crop_bytes(source.info.network)),
        replay_faces_(
            open(labelled.replay, "train", config_.guards.replay, "replay", is_same(labelled))),
        networks_(source,
                  replay_faces_ ? replay_faces_->cut()
                                : blocks_below(source.info.network, config_.frozen_blocks),
                  config_.momentum, torch::Device(config_.device)),
        views_(source.info, torch::Device(config_.device)),
        builder_(config_.tracklet, source.info.network.input_size),
        memory_(new_memory()),
        thresholds_(new_thresholds()),
        negatives_(make_negative_policy(config_.negative_policy, classes_)),
        share_cap_(new_share_cap()) {
    if (replay_faces_) replay_.emplace(replay_faces_);
    if (auto faces =
            open(labelled.canary, "valid", config_.guards.canary, "canary", is_same(labelled))) {
      if (faces->cut() != cut()) {
        throw std::runtime_error(labelled.canary.string() + ": its activations are above " +
                                 std::to_string(faces->cut()) + " blocks, the replay's above " +
                                 std::to_string(cut()));
      }
      canary_.emplace(*faces, networks_.teacher(), source_.info, kCanaryPerClass, config_.seed);
      if (config_.guards.familiar)
        familiarity_.emplace(canary_->doubt(networks_.teacher(), kUnsureOfKnown),
                             config_.most_unsure);
    }
    const torch::Tensor log_prior = torch::tensor(source_.info.prior).log();
    kept_prior_ = log_prior * config_.keep_prior;
    prior_ = torch::zeros({classes_});
    if (config_.guards.prior) prior_ = log_prior * -config_.prior_correction;
    promotions_.emplace(Candidate{networks_.teacher_weights(), source_.info.version, score_now()},
                        config_.canary_margin, config_.rollback_margin);
    forget();
  }

  const ModelInfo& info() const { return source_.info; }
  int cut() const { return networks_.cut(); }

  void observe(std::vector<FaceSample> faces) {
    constexpr std::size_t kChunk = 32;
    std::vector<FaceSample> passed;
    const auto look = [&] {
      if (!passed.empty()) take(std::move(passed));
      passed.clear();
    };
    for (FaceSample& face : faces) {
      if (face.crop.size() != crop_bytes_) {
        throw std::invalid_argument("a crop of " + std::to_string(face.crop.size()) +
                                    " bytes; expected " + std::to_string(crop_bytes_));
      }
      if (const auto refusal = refuse_face(face, source_.info.network.input_size, config_.gates)) {
        ++counts_.refused[name_of(*refusal)];
        continue;
      }
      passed.push_back(std::move(face));
      if (passed.size() == kChunk) look();
    }
    look();
  }

  void end_of(const std::optional<std::string>& source) { remember(builder_.end(source)); }

  bool can_step() const {
    return memory_.size() >= std::min(config_.least_memory, memory_.capacity()) &&
           static_cast<double>(counts_.drawn) + config_.batch <=
               config_.reuse * static_cast<double>(memory_.added());
  }

  Step step() {
    if (memory_.size() == 0) throw std::logic_error("OnlineLearner: nothing is remembered");
    const std::vector<std::size_t> rows = memory_.draw(config_.batch, random(kDraw));
    const auto n = static_cast<std::int64_t>(rows.size());

    // The half below the cut is everybody's: once over all views.
    Crops weak_crops, strong_crops;
    std::vector<std::int64_t> row_of;  // of each weak view
    Random which = random(kWhich);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto& crops = item(rows, i).evidence.crops;
      for (const auto& crop : crops) {
        weak_crops.push_back(crop);
        row_of.push_back(i);
      }
      strong_crops.push_back(crops[which.below(crops.size())]);
    }
    const torch::Tensor weak = networks_.lower(views_.weak(weak_crops, random(kWeak)));
    const torch::Tensor strong =
        networks_.lower(views_.strong(strong_crops, random(kStrong), config_.strength));
    Replay::Rows labelled{torch::Tensor(), torch::empty({0}, torch::kLong)};
    if (replay_ && config_.guards.replay) {
      const double share = config_.replay_share;
      labelled =
          replay_->draw(static_cast<int>(std::ceil(static_cast<double>(n) * share / (1 - share))),
                        random(kReplay), networks_.teacher());
    }
    const std::int64_t m = labelled.labels.size(0);

    PolicyStep shown;
    // In one pass: a device is waited for once.
    const torch::Tensor told = ask_teacher(m > 0 ? torch::cat({weak, labelled.activations}) : weak);
    shown.unlabelled = mean_over(told.narrow(0, 0, weak.size(0)), row_of, n);
    shown.labelled = told.narrow(0, weak.size(0), m);
    shown.labels = labelled.labels;
    shown.step = static_cast<std::int64_t>(counts_.steps);
    shown.epoch =
        static_cast<int>(counts_.steps / static_cast<std::uint64_t>(config_.canary_interval));
    PseudoLabels pseudo = thresholds_->judge(shown);

    Step done;
    done.rows = static_cast<int>(n);
    done.labelled_rows = static_cast<int>(m);
    torch::Tensor agrees = torch::ones({n}, torch::kBool);
    for (std::int64_t i = 0; i < n; ++i)
      agrees[i] = !config_.guards.tracklets || item(rows, i).evidence.agrees(config_.tracklet);
    admit(pseudo, agrees, done);
    for (std::int64_t i = 0; i < n; ++i) {
      memory_.relabel(rows[static_cast<std::size_t>(i)],
                      static_cast<int>(pseudo.labels[i].item<std::int64_t>()));
    }

    learn(labelled, strong, shown.unlabelled, pseudo, agrees, done);
    counts_.drawn += static_cast<std::uint64_t>(n);
    ++counts_.steps;
    ++counts_.since_judged;
    last_ = done;
    return done;
  }

  std::optional<Outcome> judge_if_due() {
    if (counts_.since_judged < config_.canary_interval && std::isfinite(last_.loss))
      return std::nullopt;
    return judge_now();
  }

  Outcome judge_now() {
    counts_.since_judged = 0;
    Candidate candidate{networks_.teacher_weights(), {}, {}};
    candidate.version = version_of(candidate.weights);
    if (!std::isfinite(last_.loss) || !networks_.finite()) {
      counts_.note(candidate);
      return roll_back_candidate("the loss is no longer a number");
    }
    candidate.score = score_now();
    counts_.note(candidate);
    if (!canary_ || !config_.guards.canary)
      return promote(std::move(candidate), "no canary is asked");
    Verdict verdict = promotions_->verdict_on(candidate.score);
    std::string said = promotions_->compared(candidate.score);
    if (verdict == Verdict::kRollBack) return roll_back_candidate(said);
    if (verdict == Verdict::kKeep && config_.guards.part_way) {
      const auto score = [this](const Tensors& weights) { return score_of(weights); };
      if (auto part = promotions_->part_of_the_way(candidate, score)) {
        candidate = std::move(part->candidate);
        candidate.version = version_of(candidate.weights);
        verdict = Verdict::kPromote;
        counts_.note(candidate);
        said = part->share + (" of the way: " + promotions_->compared(candidate.score));
      }
    }
    if (verdict == Verdict::kPromote && counts_.accepted_since_promotion > 0)
      return promote(std::move(candidate), said);
    if (verdict == Verdict::kPromote) said = "nothing of the stream was accepted; " + said;
    counts_.decide(&LearnerCounts::kept, "kept", said);
    return Outcome::kKept;
  }

  bool rollback() {
    if (!promotions_->roll_back()) return false;
    start_from_serving();
    // What was learnt from is still remembered; the next candidate is judged anew.
    counts_.decide(&LearnerCounts::rollbacks, "rolled back",
                   "asked for; version " + promotions_->serving().version + " serves");
    return true;
  }

  void reset() {
    forget();
    counts_.decision = "reset";
    counts_.reason = "asked for; the source, version " + source_.info.version + ", serves";
  }

  ModelFile serving() const {
    const Candidate& serving = promotions_->serving();
    return promotions_->source_serves()
               ? given_
               : model_of(serving.weights, serving.version, serving.score.macro_recall);
  }

  ModelFile candidate() const {
    const Tensors weights = networks_.teacher_weights();
    return model_of(weights, version_of(weights), counts_.candidate_score);
  }

  Checkpoint state() const {
    Checkpoint kept;
    const auto keep = [&](const std::string& prefix, const Tensors& tensors) {
      for (const auto& [name, tensor] : tensors) kept.tensors[prefix + name] = tensor;
    };
    keep("student.", networks_.student_weights());
    keep("teacher.", networks_.teacher_weights());
    const Candidate& serving = promotions_->serving();
    keep("serving.", serving.weights);
    keep("velocity.", networks_.velocity());
    keep("thresholds.", thresholds_->state());
    kept.state = {{"source", source_.info.version},
                  {"cut", cut()},
                  {"threshold_policy", config_.threshold_policy},
                  {"share", share_cap_.counts()},
                  {"familiarity", familiarity_ ? familiarity_->state() : json::object()},
                  {"counts", counts_},
                  {"serving_version", serving.version},
                  {"serving_score", serving.score.macro_recall},
                  {"serving_accuracy", serving.score.accuracy}};
    keep_memory(memory_, kept);
    return kept;
  }

  void restore(const Checkpoint& kept) {
    const json& s = kept.state;
    try {
      if (s.at("source") != source_.info.version) {
        throw std::runtime_error("the learner's state belongs to model " +
                                 s.at("source").get<std::string>() + ", not to " +
                                 source_.info.version);
      }
      if (s.at("cut") != cut())
        throw std::runtime_error("the learner's state has its cut in another place");
      // All is read and checked before anything changes.
      const auto taken = [&](const std::string& prefix, const Tensors& like) {
        Tensors tensors;
        for (const auto& [name, tensor] : like) {
          const auto it = kept.tensors.find(prefix + name);
          if (it == kept.tensors.end() || it->second.sizes() != tensor.sizes() ||
              it->second.scalar_type() != tensor.scalar_type()) {
            throw std::runtime_error("the learner's state has no tensor \"" + prefix + name +
                                     "\" of the network's shape");
          }
          tensors[name] = it->second.clone();
        }
        return tensors;
      };
      const Tensors student = taken("student.", networks_.student_weights());
      const Tensors teacher = taken("teacher.", networks_.teacher_weights());
      const Tensors velocity = taken("velocity.", networks_.velocity());
      Candidate serving{taken("serving.", promotions_->serving().weights),
                        s.at("serving_version"),
                        {s.at("serving_score"), s.at("serving_accuracy")}};
      SampleMemory memory = new_memory();
      restore_memory(kept, crop_bytes_, memory);
      auto thresholds = new_thresholds();
      if (s.at("threshold_policy") == config_.threshold_policy)
        thresholds->load_state(taken("thresholds.", thresholds->state()));
      const auto share = s.at("share").get<std::vector<double>>();
      const auto counts = s.at("counts").get<LearnerCounts>();
      const auto classes = static_cast<std::size_t>(classes_);
      if (share.size() != classes || !counts.fit(classes))
        throw std::runtime_error("the learner's state has counts of other classes");

      std::optional<Familiarity> familiarity = familiarity_;
      // States of earlier versions have none.
      if (familiarity) familiarity->restore(s.value("familiarity", json::object()));

      networks_.set(student, teacher, velocity);
      promotions_->restore(std::move(serving));
      memory_ = std::move(memory);
      thresholds_ = std::move(thresholds);
      share_cap_.restore(share);
      if (familiarity) familiarity_.emplace(*std::move(familiarity));
      counts_ = counts;
      last_ = Step();
    } catch (const json::exception& broken) {
      throw std::runtime_error(std::string("the learner's state is broken: ") + broken.what());
    }
  }

  void restore_history(const std::vector<ModelFile>& models) {
    const Candidate& serving = promotions_->serving();
    for (const ModelFile& model : models) {
      // Its own version says what it is; one of another network is not ours.
      Candidate earlier{{}, model.info.version, {}};
      bool fits = model.info.version != serving.version;
      for (const auto& [name, tensor] : serving.weights) {
        const auto it = model.weights.find(name);
        fits = fits && it != model.weights.end() && it->second.sizes() == tensor.sizes();
        if (fits) earlier.weights[name] = it->second.clone();
      }
      if (!fits) continue;
      earlier.score = score_of(earlier.weights);
      promotions_->restore_earlier(std::move(earlier));
    }
  }

  LearnerStats stats() const {
    LearnerStats s;
    const torch::Tensor thresholds = thresholds_->thresholds();
    for (int k = 0; k < classes_; ++k) {
      const auto c = static_cast<std::size_t>(k);
      LearnerStats::PerClass one;
      one.label = source_.info.labels[c];
      one.threshold = thresholds[k].item<double>();
      one.accept_rate = counts_.accept_rate(c);
      one.accepted = counts_.accepted[c];
      one.remembered = memory_.count(k);
      s.classes.push_back(std::move(one));
    }
    s.refused = counts_.refused;
    s.faces = counts_.faces;
    s.tracklets = counts_.tracklets;
    s.memory = memory_.size();
    s.memory_capacity = memory_.capacity();
    s.steps = counts_.steps;
    s.loss = last_.loss;
    s.loss_x = last_.loss_x;
    s.loss_u = last_.loss_u;
    s.loss_n = last_.loss_n;
    s.learning_rate = config_.learning_rate * counts_.rate;
    const Candidate &source = promotions_->source(), &serving = promotions_->serving();
    s.source_version = source.version;
    s.serving_version = serving.version;
    s.candidate_version = counts_.candidate_version;
    s.source_score = source.score.macro_recall;
    s.serving_score = serving.score.macro_recall;
    s.candidate_score = counts_.candidate_score;
    s.source_accuracy = source.score.accuracy;
    s.serving_accuracy = serving.score.accuracy;
    s.candidate_accuracy = counts_.candidate_accuracy;
    s.promotions = counts_.promotions;
    s.rollbacks = counts_.rollbacks;
    s.kept = counts_.kept;
    s.decision = counts_.decision;
    s.reason = counts_.reason;
    return s;
  }

 private:
  /// One file for both must have a split for each: what judges is not taught.
  static bool is_same(const Labelled& labelled) {
    std::error_code ignored;
    return std::filesystem::equivalent(labelled.replay, labelled.canary, ignored);
  }

  std::unique_ptr<LabelledFaces> open(const std::filesystem::path& path, const char* split,
                                      bool needed, const char* what, bool shared) const {
    if (path.empty()) {
      if (!needed) return nullptr;
      throw std::runtime_error(std::string("learning needs labelled faces as ") + what +
                               ", but none are named and none lie beside the model");
    }
    return LabelledFaces::open(path, split, source_, config_.frozen_blocks, shared,
                               torch::Device(config_.device));
  }

  SampleMemory new_memory() const {
    return SampleMemory(config_.memory, classes_, config_.guards.memory);
  }
  std::unique_ptr<ThresholdPolicy> new_thresholds() const {
    // The window of those that count over one: what the memory holds.
    return make_threshold_policy(config_.threshold_policy, classes_,
                                 static_cast<std::int64_t>(config_.memory.per_class) * classes_);
  }
  ShareCap new_share_cap() const {
    return ShareCap(classes_, config_.share_cap,
                    std::max(1.0, static_cast<double>(config_.batch) / classes_));
  }

  Random random(Purpose purpose) const { return Random(config_.seed, purpose, counts_.steps); }

  const SampleMemory::Item& item(const std::vector<std::size_t>& rows, std::int64_t i) const {
    return memory_.items()[rows[static_cast<std::size_t>(i)]];
  }

  void take(std::vector<FaceSample> faces) {
    torch::NoGradGuard no_grad;
    Crops crops;
    for (const FaceSample& face : faces) crops.emplace_back(face.crop);
    const NetworkConfig& n = source_.info.network;
    const torch::Tensor images =
        plain_images(crops, n.channels, n.input_size, {source_.info.mean, source_.info.stddev});
    const torch::Tensor activations =
        networks_.lower(images.contiguous(torch::MemoryFormat::ChannelsLast));
    const torch::Tensor q = ask_teacher(activations).contiguous();
    // Of the source, not the teacher, which grows sure of whatever it learns.
    const torch::Tensor sure = familiarity_
                                   ? torch::softmax(networks_.source_logits(activations), 1).amax(1)
                                   : torch::ones({q.size(0)});
    const float *row = q.data_ptr<float>(), *confidence = sure.data_ptr<float>();
    for (FaceSample& face : faces) {
      remember(builder_.add(std::move(face), {row, row + classes_}, *confidence++));
      row += classes_;
    }
    counts_.faces += faces.size();
  }

  std::optional<Refusal> refusal_of(const Evidence& evidence) {
    // Contradictory ones are looked at, too: they are of what the source shows.
    const bool familiar =
        !familiarity_ || familiarity_->admits(evidence.source, evidence.source_confidence);
    if (config_.guards.tracklets) {
      if (const auto refusal = builder_.refuse(evidence)) return refusal;
    }
    if (!familiar) return Refusal::kUnfamiliar;
    return std::nullopt;
  }

  void remember(std::vector<Evidence> ended) {
    for (Evidence& evidence : ended) {
      ++counts_.tracklets;
      const std::optional<Refusal> refusal = refusal_of(evidence);
      if (refusal)
        ++counts_.refused[name_of(*refusal)];
      else
        memory_.add(std::move(evidence));
    }
  }

  /// Probabilities of activations at the cut, N x C.
  torch::Tensor ask_teacher(const torch::Tensor& activations) {
    return torch::softmax(networks_.teacher_logits(activations) + prior_, 1);
  }
  static torch::Tensor mean_over(const torch::Tensor& views,
                                 const std::vector<std::int64_t>& row_of, std::int64_t rows) {
    const torch::Tensor index = torch::tensor(row_of, torch::kLong);
    const torch::Tensor sums = torch::zeros({rows, views.size(1)}).index_add(0, index, views);
    const torch::Tensor counts =
        torch::zeros({rows}).index_add(0, index, torch::ones({index.size(0)}));
    return sums / counts.unsqueeze(1);
  }

  /// Narrows what the thresholds accept by the other guards, and counts.
  void admit(PseudoLabels& pseudo, const torch::Tensor& agrees, Step& done) {
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
    if (config_.guards.share_cap) {
      const std::vector<bool> admitted = share_cap_.admit(labels, confidences);
      for (std::size_t i = 0; i < admitted.size(); ++i) {
        if (admitted[i] || labels[i] < 0) continue;
        labels[i] = -1;
        pseudo.weights[static_cast<std::int64_t>(i)] = 0;
      }
    }
    for (int label : labels)
      if (label >= 0) ++done.accepted[static_cast<std::size_t>(label)];
    counts_.add(done.proposed, done.accepted);
  }

  void learn(const Replay::Rows& labelled, const torch::Tensor& strong,
             const torch::Tensor& teacher, const PseudoLabels& pseudo, const torch::Tensor& agrees,
             Step& done) {
    // What is random in the network follows from seed and step.
    seed_torch(random(kNetwork)());
    networks_.set_training_mode(config_.guards.freeze_norm);
    const std::int64_t m = labelled.labels.size(0);
    const torch::Tensor rows = m > 0 ? torch::cat({labelled.activations, strong}) : strong;
    const torch::Tensor logits = networks_.student_logits(rows);
    const torch::Tensor stream_logits = logits.narrow(0, m, logits.size(0) - m);
    // The memory shows classes in shares of its own. Logits that are adjusted by a prior learn that
    // prior all the same (Menon et al. 2021).
    const torch::Tensor u = weighted_cross_entropy(stream_logits - kept_prior_ + drawn_prior(),
                                                   pseudo.labels, pseudo.weights);

    NegativeStep seen;
    seen.teacher = teacher;
    seen.student = torch::softmax(stream_logits.detach(), 1);
    seen.accepted = pseudo.accepted();
    torch::Tensor negatives = negatives_->select(seen);
    if (config_.guards.agreement) negatives = negatives & agrees.unsqueeze(1);
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
    if (!std::isfinite(done.loss)) return;  // judge_if_due() throws the candidate away
    loss.backward();
    networks_.step(config_.learning_rate * counts_.rate);
    if (config_.guards.pull) networks_.pull_to_source(config_.pull);
    networks_.average(config_.guards.teacher ? config_.ema : 0);
  }

  torch::Tensor replay_loss(const torch::Tensor& logits, const Replay::Rows& labelled) {
    torch::Tensor loss = torch::zeros({});
    if (config_.anchor > 0) {
      const torch::Tensor said = torch::softmax(networks_.source_logits(labelled.activations), 1);
      loss = loss - config_.anchor * (said * torch::log_softmax(logits, 1)).sum(1).mean();
    }
    // The replay shows each class equally often, hence the prior here, too.
    if (config_.anchor < 1) {
      loss = loss + (1 - config_.anchor) *
                        torch::nn::functional::cross_entropy(logits - kept_prior_, labelled.labels);
    }
    return loss;
  }

  /// Logarithm of each class's share of what is drawn from the memory.
  torch::Tensor drawn_prior() const {
    if (!config_.guards.memory) return torch::zeros({classes_});  // in the order of the stream
    return torch::tensor(memory_.shares(), torch::kFloat).clamp_min(kLeastShare).log();
  }

  /// Of the teacher as it is.
  CanaryScore score_now() { return canary_ ? canary_->score(networks_.teacher()) : CanaryScore(); }
  CanaryScore score_of(const Tensors& weights) {
    const Tensors now = networks_.teacher_weights();
    networks_.set_teacher(weights);
    const CanaryScore score = score_now();
    networks_.set_teacher(now);
    return score;
  }

  Outcome promote(Candidate candidate, const std::string& reason) {
    promotions_->promote(std::move(candidate));
    counts_.accepted_since_promotion = 0;
    counts_.rollbacks_in_a_row = 0;
    counts_.rate = std::min(1.0, counts_.rate * 1.25);
    counts_.decide(&LearnerCounts::promotions, "promoted", reason);
    return Outcome::kPromoted;
  }

  Outcome roll_back_candidate(const std::string& reason) {
    start_from_serving();
    counts_.rate = std::max(kLeastRate, counts_.rate / 2);
    if (++counts_.rollbacks_in_a_row >= kMisled) {
      memory_.clear();
      counts_.rollbacks_in_a_row = 0;
    }
    counts_.decide(&LearnerCounts::rollbacks, "rolled back", reason);
    return Outcome::kRolledBack;
  }

  void start_from_serving() {
    networks_.start_from(promotions_->serving().weights);
    counts_.accepted_since_promotion = 0;
    last_ = Step();
  }

  /// All as at the beginning, but for what was counted.
  void forget() {
    promotions_->reset();
    start_from_serving();
    memory_ = new_memory();
    thresholds_ = new_thresholds();
    share_cap_ = new_share_cap();
    if (familiarity_) familiarity_->restore(json::object());
    builder_.end();
    counts_.forget(static_cast<std::size_t>(classes_));
  }

  std::string version_of(const Tensors& upper) const {
    return fer::version_of({source_.info, weights_with(upper)});
  }
  Tensors weights_with(const Tensors& upper) const {
    Tensors weights = source_.weights;
    for (const auto& [name, tensor] : upper) weights[name] = tensor.detach();
    return weights;
  }
  ModelFile model_of(const Tensors& upper, const std::string& version, double score) const {
    ModelFile model{source_.info, weights_with(upper)};
    model.info.parent = source_.info.version;
    model.info.version = version;
    model.info.thresholds = thresholds_->describe();
    model.info.provenance = {{"adapted_from", source_.info.version},
                             {"online", config_},
                             {"steps", counts_.steps},
                             {"accepted", counts_.accepted},
                             {"canary_macro_recall", score}};
    return model;
  }

  const OnlineConfig config_;
  const ModelFile given_;  ///< The source as it was given.
  /// The source with its calibration in its head: evidence is calibrated, and a model that is
  /// adapted goes on from there. It has no calibration of its own.
  const ModelFile source_;
  const int classes_;
  const std::size_t crop_bytes_;
  const std::shared_ptr<const LabelledFaces> replay_faces_;
  AdaptedNetworks networks_;
  const CropViews views_;
  std::optional<Replay> replay_;
  std::optional<Canary> canary_;
  torch::Tensor prior_;       ///< Added to the teacher's logits, C.
  torch::Tensor kept_prior_;  ///< Taken from the student's logits in its losses, C.
  TrackletBuilder builder_;
  SampleMemory memory_;
  std::unique_ptr<ThresholdPolicy> thresholds_;
  std::unique_ptr<NegativePolicy> negatives_;
  ShareCap share_cap_;
  std::optional<Familiarity> familiarity_;  ///< Empty: everything is.
  LearnerCounts counts_;
  Step last_;
  std::optional<Promotions> promotions_;  ///< Always there, once it is made.
};

OnlineLearner::Labelled OnlineLearner::Labelled::or_beside(
    const std::filesystem::path& model) const {
  Labelled found = *this;
  const auto look = [&](std::filesystem::path& path, const char* ending) {
    const auto file = std::filesystem::path(model).replace_extension(ending);
    std::error_code ignored;
    if (path.empty() && std::filesystem::is_regular_file(file, ignored)) path = file;
  };
  look(found.replay, ".replay");
  look(found.canary, ".canary");
  return found;
}

OnlineLearner::OnlineLearner(const ModelFile& source, const Labelled& labelled,
                             const OnlineConfig& config)
    : impl_(std::make_unique<Impl>(source, labelled, config)) {}

OnlineLearner::~OnlineLearner() = default;

const ModelInfo& OnlineLearner::info() const {
  return impl_->info();
}
int OnlineLearner::cut() const {
  return impl_->cut();
}
void OnlineLearner::observe(std::vector<FaceSample> faces) {
  impl_->observe(std::move(faces));
}
void OnlineLearner::end_of(const std::optional<std::string>& source) {
  impl_->end_of(source);
}
bool OnlineLearner::can_step() const {
  return impl_->can_step();
}
OnlineLearner::Step OnlineLearner::step() {
  return impl_->step();
}
std::optional<OnlineLearner::Outcome> OnlineLearner::judge_if_due() {
  return impl_->judge_if_due();
}
OnlineLearner::Outcome OnlineLearner::judge_now() {
  return impl_->judge_now();
}
bool OnlineLearner::rollback() {
  return impl_->rollback();
}
void OnlineLearner::reset() {
  impl_->reset();
}
ModelFile OnlineLearner::serving() const {
  return impl_->serving();
}
ModelFile OnlineLearner::candidate() const {
  return impl_->candidate();
}
Checkpoint OnlineLearner::state() const {
  return impl_->state();
}
void OnlineLearner::restore(const Checkpoint& state) {
  impl_->restore(state);
}
void OnlineLearner::restore_history(const std::vector<ModelFile>& served) {
  impl_->restore_history(served);
}
LearnerStats OnlineLearner::stats() const {
  return impl_->stats();
}

}  // namespace fer
