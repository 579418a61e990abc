#include "stream/online_learner.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "learn/batches.h"
#include "learn/checkpoint.h"
#include "learn/losses.h"
#include "learn/module_run.h"
#include "learn/negatives/negative_policy.h"
#include "learn/sgd.h"
#include "learn/thresholds/threshold_policy.h"
#include "model/model_file.h"
#include "model/network.h"
#include "model/stored_weights.h"
#include "stream/canary.h"
#include "stream/gates.h"
#include "stream/labelled_faces.h"
#include "stream/memory_state.h"
#include "stream/promotions.h"
#include "stream/replay.h"
#include "stream/sample_memory.h"
#include "stream/share_cap.h"
#include "stream/tracklet.h"
#include "stream/views.h"

namespace fer {
namespace {

using nlohmann::json;
using Tensors = std::map<std::string, torch::Tensor>;
using Crops = std::vector<std::span<const std::uint8_t>>;

/// What a random stream is for, so that no two uses of the seed share one.
enum Purpose : std::uint64_t { kDraw = 1, kReplay, kWeak, kStrong, kWhich, kNetwork };

/// Faces of a class that judge a candidate, at most: more cost time and tell little more.
constexpr int kCanaryPerClass = 100;
/// How fast the counts behind an accept rate fade, a step.
constexpr double kFade = 0.99;
/// The step size is halved at each rollback, but not below this share of what was asked for.
constexpr double kLeastRate = 1.0 / 16;
/// Of a class of which nothing is remembered, among what is drawn.
constexpr double kLeastShare = 1e-3;
/// So many rollbacks in a row, and what is remembered is what misleads.
constexpr int kMisled = 2;

Tensors copies(const Tensors& tensors) {
  Tensors result;
  for (const auto& [name, tensor] : tensors) result[name] = tensor.detach().clone();
  return result;
}

void assign(const Tensors& to, const Tensors& from) {
  torch::NoGradGuard no_grad;
  for (auto [name, tensor] : to) tensor.copy_(from.at(name));
}

OnlineConfig checked(OnlineConfig config) {
  config.check();
  if (!config.guards.tracklets) config.tracklet.seconds = 0;  // each frame ends the one before
  return config;
}

}  // namespace

class OnlineLearner::Impl {
  /// What is counted, in one piece for saving.
  struct Counts {
    std::uint64_t steps = 0, drawn = 0, faces = 0, tracklets = 0;
    std::uint64_t accepted_since_promotion = 0, promotions = 0, rollbacks = 0, kept = 0;
    int since_judged = 0, rollbacks_in_a_row = 0;
    double rate = 1;  ///< Of the step size that was asked for.
    std::string candidate_version;
    double candidate_score = 0, candidate_accuracy = 0;  ///< On the canary.
    std::string decision, reason;
    std::vector<std::uint64_t> accepted;                   ///< Rows, a class.
    std::vector<double> proposed_lately, accepted_lately;  ///< The same, fading.
    std::map<std::string, std::uint64_t> refused;

    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Counts, steps, drawn, faces, tracklets, accepted_since_promotion,
                                   promotions, rollbacks, kept, since_judged, rollbacks_in_a_row,
                                   rate, candidate_version, candidate_score, candidate_accuracy,
                                   decision, reason, accepted, proposed_lately, accepted_lately,
                                   refused)
  };

 public:
  Impl(const ModelFile& source, const Labelled& labelled, const OnlineConfig& config)
      : config_(checked(config)),
        source_(source),
        classes_(source.info.network.classes),
        crop_bytes_(crop_bytes(source.info.network)),
        student_(source.info.network),
        teacher_(source.info.network),
        anchor_(source.info.network),
        replay_faces_(
            open(labelled.replay, "train", config_.guards.replay, "replay", is_same(labelled))),
        cut_(replay_faces_ ? replay_faces_->cut()
                           : blocks_below(source.info.network, config_.frozen_blocks)),
        builder_(config_.tracklet, source.info.network.input_size),
        memory_(new_memory()),
        thresholds_(new_thresholds()),
        negatives_(make_negative_policy(config_.negative_policy, classes_)),
        share_cap_(new_share_cap()) {
    for (Network* network : {&student_, &teacher_, &anchor_}) {
      copy_state(source_.weights, **network, "the source model");
      lay_out_channels_last(**network);
      (*network)->eval();
    }
    freeze_below();
    sgd_ = std::make_unique<Sgd>(*student_, config_.momentum, /*weight_decay=*/0);
    if (replay_faces_) replay_.emplace(replay_faces_);
    if (auto faces =
            open(labelled.canary, "valid", config_.guards.canary, "canary", is_same(labelled))) {
      if (faces->cut() != cut_) {
        throw std::runtime_error(labelled.canary.string() + ": its activations are above " +
                                 std::to_string(faces->cut()) + " blocks, the replay's above " +
                                 std::to_string(cut_));
      }
      canary_.emplace(*faces, teacher_, source_.info, kCanaryPerClass, config_.seed);
    }
    const torch::Tensor log_prior = torch::tensor(source_.info.prior).log();
    kept_prior_ = log_prior * config_.keep_prior;
    prior_ = torch::zeros({classes_});
    if (config_.guards.prior) prior_ = log_prior * -config_.prior_correction;
    promotions_.emplace(Candidate{copies(adapted(teacher_)), source_.info.version, score_now()},
                        config_.canary_margin, config_.rollback_margin);
    forget();
  }

  const ModelInfo& info() const { return source_.info; }
  int cut() const { return cut_; }

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
    torch::Tensor weak, strong;
    {
      torch::NoGradGuard no_grad;
      const auto cut = static_cast<std::size_t>(cut_);
      weak = teacher_->lower(weak_views(weak_crops, source_.info, random(kWeak)), cut);
      strong = teacher_->lower(
          strong_views(strong_crops, source_.info, random(kStrong), config_.strength), cut);
    }
    Replay::Rows labelled{torch::Tensor(), torch::empty({0}, torch::kLong)};
    if (replay_ && config_.guards.replay) {
      const double share = config_.replay_share;
      labelled =
          replay_->draw(static_cast<int>(std::ceil(static_cast<double>(n) * share / (1 - share))),
                        random(kReplay), teacher_);
    }
    const std::int64_t m = labelled.labels.size(0);

    PolicyStep shown;
    shown.unlabelled = mean_over(ask_teacher(weak), row_of, n);
    shown.labelled = m > 0 ? ask_teacher(labelled.activations) : torch::zeros({0, classes_});
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
    Candidate candidate{copies(adapted(teacher_)), version_of(adapted(teacher_)), {}};
    if (!std::isfinite(last_.loss) || !finite()) {
      note(candidate);
      return roll_back_candidate("the loss is no longer a number");
    }
    candidate.score = score_now();
    note(candidate);
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
        note(candidate);
        said = part->share + (" of the way: " + promotions_->compared(candidate.score));
      }
    }
    if (verdict == Verdict::kPromote && counts_.accepted_since_promotion > 0)
      return promote(std::move(candidate), said);
    if (verdict == Verdict::kPromote) said = "nothing of the stream was accepted; " + said;
    decide(counts_.kept, "kept", said);
    return Outcome::kKept;
  }

  bool rollback() {
    if (!promotions_->roll_back()) return false;
    start_from_serving();
    // What was learnt from is still remembered; the next candidate is judged anew.
    decide(counts_.rollbacks, "rolled back",
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
               ? source_
               : model_of(serving.weights, serving.version, serving.score.macro_recall);
  }

  ModelFile candidate() const {
    return model_of(copies(adapted(teacher_)), version_of(adapted(teacher_)),
                    counts_.candidate_score);
  }

  Checkpoint state() const {
    Checkpoint kept;
    const auto keep = [&](const std::string& prefix, const Tensors& tensors) {
      for (const auto& [name, tensor] : tensors) kept.tensors[prefix + name] = tensor;
    };
    keep("student.", adapted(student_));
    keep("teacher.", adapted(teacher_));
    const Candidate& serving = promotions_->serving();
    keep("serving.", serving.weights);
    keep("velocity.", adapted_velocity());
    keep("thresholds.", thresholds_->state());
    kept.state = {{"source", source_.info.version},
                  {"cut", cut_},
                  {"threshold_policy", config_.threshold_policy},
                  {"share", share_cap_.counts()},
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
      if (s.at("cut") != cut_)
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
      const Tensors student = taken("student.", adapted(student_));
      const Tensors teacher = taken("teacher.", adapted(teacher_));
      const Tensors velocity = taken("velocity.", adapted_velocity());
      Candidate serving{taken("serving.", promotions_->serving().weights),
                        s.at("serving_version"),
                        {s.at("serving_score"), s.at("serving_accuracy")}};
      SampleMemory memory = new_memory();
      restore_memory(kept, crop_bytes_, memory);
      auto thresholds = new_thresholds();
      if (s.at("threshold_policy") == config_.threshold_policy)
        thresholds->load_state(taken("thresholds.", thresholds->state()));
      const auto share = s.at("share").get<std::vector<double>>();
      const auto counts = s.at("counts").get<Counts>();
      for (std::size_t size : {share.size(), counts.accepted.size(), counts.proposed_lately.size(),
                               counts.accepted_lately.size()}) {
        if (size != static_cast<std::size_t>(classes_))
          throw std::runtime_error("the learner's state has counts of other classes");
      }

      assign(adapted(student_), student);
      assign(adapted(teacher_), teacher);
      assign(adapted_velocity(), velocity);
      promotions_->restore(std::move(serving));
      memory_ = std::move(memory);
      thresholds_ = std::move(thresholds);
      share_cap_.restore(share);
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
      one.accept_rate = counts_.proposed_lately[c] > 0
                            ? counts_.accepted_lately[c] / counts_.proposed_lately[c]
                            : 0;
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
    return LabelledFaces::open(path, split, source_, config_.frozen_blocks, shared);
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

  void freeze_below() {
    for (const auto& [name, tensor] : state_of(*student_))
      if (!student_->is_below(name, static_cast<std::size_t>(cut_))) adapted_names_.push_back(name);
    for (auto& item : student_->named_parameters())
      item.value().set_requires_grad(adapts(item.key()));
    for (Network* network : {&teacher_, &anchor_})
      for (torch::Tensor& parameter : (*network)->parameters()) parameter.set_requires_grad(false);
  }
  bool adapts(const std::string& name) const {
    return std::find(adapted_names_.begin(), adapted_names_.end(), name) != adapted_names_.end();
  }

  /// The tensors themselves, above the cut.
  Tensors adapted(const Network& network) const {
    const Tensors all = state_of(*network);
    Tensors result;
    for (const std::string& name : adapted_names_) result[name] = all.at(name);
    return result;
  }
  Tensors adapted_velocity() const {
    Tensors result;
    for (const auto& [name, tensor] : sgd_->velocity)
      if (adapts(name)) result[name] = tensor;
    return result;
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
    const torch::Tensor q =
        probabilities(teacher_(images.contiguous(torch::MemoryFormat::ChannelsLast))).contiguous();
    const float* row = q.data_ptr<float>();
    for (FaceSample& face : faces) {
      remember(builder_.add(std::move(face), {row, row + classes_}));
      row += classes_;
    }
    counts_.faces += faces.size();
  }

  void remember(std::vector<Evidence> ended) {
    for (Evidence& evidence : ended) {
      ++counts_.tracklets;
      const auto refusal =
          config_.guards.tracklets ? builder_.refuse(evidence) : std::optional<Refusal>();
      if (refusal)
        ++counts_.refused[name_of(*refusal)];
      else
        memory_.add(std::move(evidence));
    }
  }

  torch::Tensor probabilities(const torch::Tensor& logits) const {
    return torch::softmax(logits + prior_, 1);
  }
  torch::Tensor ask_teacher(const torch::Tensor& activations) {
    torch::NoGradGuard no_grad;
    return probabilities(teacher_->upper(activations, static_cast<std::size_t>(cut_)));
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
    for (std::size_t k = 0; k < done.accepted.size(); ++k) {
      counts_.proposed_lately[k] = counts_.proposed_lately[k] * kFade + done.proposed[k];
      counts_.accepted_lately[k] = counts_.accepted_lately[k] * kFade + done.accepted[k];
      counts_.accepted[k] += static_cast<std::uint64_t>(done.accepted[k]);
      counts_.accepted_since_promotion += static_cast<std::uint64_t>(done.accepted[k]);
    }
  }

  void learn(const Replay::Rows& labelled, const torch::Tensor& strong,
             const torch::Tensor& teacher, const PseudoLabels& pseudo, const torch::Tensor& agrees,
             Step& done) {
    // What is random in the network follows from seed and step.
    torch::manual_seed(random(kNetwork)());
    set_training_mode();
    const std::int64_t m = labelled.labels.size(0);
    const torch::Tensor rows = m > 0 ? torch::cat({labelled.activations, strong}) : strong;
    const torch::Tensor logits = student_->upper(rows, static_cast<std::size_t>(cut_));
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
    sgd_->step(config_.learning_rate * counts_.rate);

    torch::NoGradGuard no_grad;
    const Tensors student = adapted(student_), teacher_now = adapted(teacher_);
    for (const auto& [name, tensor] : student) {
      // Statistics that are learnt are not weights to be pulled.
      if (config_.guards.pull && tensor.requires_grad())
        torch::Tensor(tensor).lerp_(promotions_->source().weights.at(name), config_.pull);
      torch::Tensor average = teacher_now.at(name);
      if (config_.guards.teacher)
        average.lerp_(tensor, 1 - config_.ema);
      else
        average.copy_(tensor);
    }
  }

  torch::Tensor replay_loss(const torch::Tensor& logits, const Replay::Rows& labelled) {
    torch::Tensor loss = torch::zeros({});
    if (config_.anchor > 0) {
      torch::Tensor said;
      {
        torch::NoGradGuard no_grad;
        said =
            torch::softmax(anchor_->upper(labelled.activations, static_cast<std::size_t>(cut_)), 1);
      }
      loss = loss - config_.anchor * (said * torch::log_softmax(logits, 1)).sum(1).mean();
    }
    // The replay shows each class equally often, hence the prior here, too.
    if (config_.anchor < 1) {
      loss = loss + (1 - config_.anchor) *
                        torch::nn::functional::cross_entropy(logits - kept_prior_, labelled.labels);
    }
    return loss;
  }

  void set_training_mode() {
    student_->train();
    if (!config_.guards.freeze_norm) return;
    for (const auto& module : student_->modules())
      if (module->as<torch::nn::BatchNorm2d>()) module->eval();
  }

  bool finite() const {
    for (const auto& [name, tensor] : adapted(teacher_))
      if (!tensor.isfinite().all().item<bool>()) return false;
    return true;
  }

  /// Logarithm of each class's share of what is drawn from the memory.
  torch::Tensor drawn_prior() const {
    if (!config_.guards.memory) return torch::zeros({classes_});  // in the order of the stream
    return torch::tensor(memory_.shares(), torch::kFloat).clamp_min(kLeastShare).log();
  }

  /// Of the teacher as it is.
  CanaryScore score_now() { return canary_ ? canary_->score(teacher_) : CanaryScore(); }
  CanaryScore score_of(const Tensors& weights) {
    const Tensors now = copies(adapted(teacher_));
    assign(adapted(teacher_), weights);
    const CanaryScore score = score_now();
    assign(adapted(teacher_), now);
    return score;
  }

  void decide(std::uint64_t& count, const char* decision, const std::string& reason) {
    ++count;
    counts_.decision = decision;
    counts_.reason = reason;
  }

  /// Tells which candidate was looked at last.
  void note(const Candidate& candidate) {
    counts_.candidate_version = candidate.version;
    counts_.candidate_score = candidate.score.macro_recall;
    counts_.candidate_accuracy = candidate.score.accuracy;
  }

  Outcome promote(Candidate candidate, const std::string& reason) {
    promotions_->promote(std::move(candidate));
    counts_.accepted_since_promotion = 0;
    counts_.rollbacks_in_a_row = 0;
    counts_.rate = std::min(1.0, counts_.rate * 1.25);
    decide(counts_.promotions, "promoted", reason);
    return Outcome::kPromoted;
  }

  Outcome roll_back_candidate(const std::string& reason) {
    start_from_serving();
    counts_.rate = std::max(kLeastRate, counts_.rate / 2);
    if (++counts_.rollbacks_in_a_row >= kMisled) {
      memory_.clear();
      counts_.rollbacks_in_a_row = 0;
    }
    decide(counts_.rollbacks, "rolled back", reason);
    return Outcome::kRolledBack;
  }

  void start_from_serving() {
    assign(adapted(student_), promotions_->serving().weights);
    assign(adapted(teacher_), promotions_->serving().weights);
    for (auto& [name, tensor] : sgd_->velocity) tensor.zero_();
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
    builder_.end();
    const auto classes = static_cast<std::size_t>(classes_);
    counts_.accepted.assign(classes, 0);
    counts_.proposed_lately.assign(classes, 0);
    counts_.accepted_lately.assign(classes, 0);
    counts_.drawn = 0;
    counts_.rate = 1;
    counts_.rollbacks_in_a_row = counts_.since_judged = 0;
  }

  std::string version_of(const Tensors& upper) const {
    return StoredWeights(weights_with(upper), /*bf16=*/false).version();
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
  const ModelFile source_;
  const int classes_;
  const std::size_t crop_bytes_;
  Network student_, teacher_;  ///< The teacher is in evaluation mode at all times.
  Network anchor_;             ///< The source, which never changes.
  const std::shared_ptr<const LabelledFaces> replay_faces_;
  const int cut_;
  std::vector<std::string> adapted_names_;  ///< Parameters and statistics above the cut.
  std::unique_ptr<Sgd> sgd_;
  std::optional<Replay> replay_;
  std::optional<Canary> canary_;
  torch::Tensor prior_;       ///< Added to the teacher's logits, C.
  torch::Tensor kept_prior_;  ///< Taken from the student's logits in its losses, C.
  TrackletBuilder builder_;
  SampleMemory memory_;
  std::unique_ptr<ThresholdPolicy> thresholds_;
  std::unique_ptr<NegativePolicy> negatives_;
  ShareCap share_cap_;
  Counts counts_;
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
