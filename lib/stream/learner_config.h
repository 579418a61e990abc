// Settings of online learning. Free of LibTorch.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "export.h"

namespace fer {

/// Which single faces are worth looking at.
struct GateConfig {
  float min_confidence = 0.6f;  ///< Of the detector.
  float min_size = 24;          ///< Of the face in the frame, pixels; a size of 0 passes.
  float min_mean = 20;          ///< Mean brightness of the crop, of 255 …
  float max_mean = 240;         ///< … neither dark nor burnt out.
  float min_sharpness = 4;      ///< Mean absolute Laplacian of the crop, of 255.
};

/// When frames of a track are one piece of evidence.
struct TrackletConfig {
  double seconds = 1.0;       ///< Its full length.
  double gap = 0.5;           ///< A longer silence ends it, seconds.
  int min_frames = 1;         ///< Fewer say too little: 1 takes stills too.
  int keep = 2;               ///< Its best crops, which are remembered.
  double max_flips = 0.34;    ///< Changes of the likeliest class, a pair of neighbours.
  double min_majority = 0.6;  ///< Share of the frames that say the majority's label.
};

/// How much is remembered.
struct MemoryConfig {
  int per_class = 128;   ///< Pieces of evidence a class …
  int per_identity = 8;  ///< … and of one track of one source, over all classes.
};

/// Each guard against learning the wrong thing. All are on; experiments take one away at a time.
struct GuardConfig {
  bool tracklets = true;    ///< Evidence is a tracklet. Off: each frame speaks for itself.
  bool memory = true;       ///< Caps classes and identities, shares of draws. Off: what came last.
  bool replay = true;       ///< Labelled rows in every step, at least half of the batch.
  bool teacher = true;      ///< An average of the student labels and serves. Off: the student.
  bool freeze_norm = true;  ///< Statistics of batch normalisation stay the source's.
  bool class_balance = true;  ///< No class has more than its share of what is accepted.
  bool agreement = true;      ///< Negative learning only from tracklets that agree with themselves.
  bool weight_anchor = true;  ///< Back to the source's weights, a little each step.
  bool canary = true;         ///< A candidate serves only if it still knows the canary's faces.
  bool part_way = true;       ///< Of a candidate that lost too much, a part of the way may serve.
  bool prior = true;          ///< The teacher's word is freed of its preference for common classes.
  bool ood_gate = true;  ///< A source that shows nothing known teaches nothing. Needs a canary.
};

/// "tracklets", "memory", "replay", … as the fields are called, with "-" for "_".
FER_API const std::vector<std::string>& guard_names();
/// The guard of this name; "share-cap", "pull" and "familiar" are deprecated names of
/// "class-balance", "weight-anchor" and "ood-gate". Throws std::runtime_error that lists the names
/// for any other.
FER_API bool& guard_named(GuardConfig& guards, const std::string& name);

/// Class prototypes as a head; see prototype_head.h.
struct PrototypeConfig {
  bool enabled = true;            ///< Whether the head adapts so.
  int per_class = 100;            ///< Faces that support a prototype, at most.
  double mix = 0.25;              ///< Weight of the prototypes beside the source's head; 0 … 1.
  double prior_correction = 0.5;  ///< Power of the prior that is divided out of pseudo-labels.
};

/// What a checkpoint keeps of remembered faces.
enum class SampleStore {
  kLatents,  ///< Activations of the frozen half. No picture; nothing where no block is frozen.
  kCrops,    ///< Aligned pictures of faces. Learning goes on as if it had never stopped.
  kNothing,  ///< No face at all: memory fills anew after a restart.
};

/// "latents", "crops", "nothing".
FER_API const char* name_of(SampleStore store);
/// Throws std::runtime_error that lists the names for any other.
FER_API SampleStore sample_store_named(const std::string& name);

/// Settings of an online learner.
struct OnlineConfig {
  GateConfig gates;            ///< Which faces are evidence.
  TrackletConfig tracklet;     ///< How faces of one person become one piece of it.
  MemoryConfig memory;         ///< How much is remembered.
  GuardConfig guards;          ///< What keeps learning from doing harm.
  PrototypeConfig prototypes;  ///< How the head adapts without a gradient.
  /// Gradient steps, which serve only where they beat the prototypes. Off: the weights stay the
  /// source's, and only the head changes.
  bool gradient_steps = true;
  SampleStore store = SampleStore::kLatents;  ///< What checkpoints keep of faces.
  double max_sample_age = 86400;  ///< Seconds after which a remembered face goes; 0: never.
  std::string threshold_policy = "dta:t-min=0.3,t-max=0.6";  ///< For make_threshold_policy().
  std::string negative_policy = "snl";                       ///< For make_negative_policy().
  int batch = 32;                                            ///< Unlabelled rows a step …
  double replay_share = 0.5;  ///< … and labelled ones: this share of both together, at least 0.5.
  double strength = 1;        ///< Of the strong views, as a share of RandAugment's usual ranges.
  double learning_rate = 1e-3;    ///< Of SGD.
  double momentum = 0.9;          ///< Of SGD.
  double lambda_x = 1;            ///< Weight of the loss of labelled rows.
  double lambda_u = 1;            ///< Weight of the loss of pseudo-labels.
  double lambda_n = 0.1;          ///< Weight of the loss of negative labels.
  double ema = 0.995;             ///< Decay of the teacher's weights per step.
  double weight_anchor = 1e-3;    ///< Share of the way back to the source's weights, a step.
  double prior_correction = 0.5;  ///< Power of the model's prior that is divided out; 0 … 1.
  /// Weight of distillation on the replay's faces: the share of their targets that comes from the
  /// source's probabilities; the rest comes from the labels. Distillation keeps the source's
  /// knowledge with its preferences (Li and Hoiem 2017).
  double distillation_weight = 1;
  /// Power of the source's prior that is taught, however often each class is drawn: 0 teaches a
  /// flat one, 1 the source's. Common classes are forgotten below it.
  double keep_prior = 0.5;
  double max_class_share = 0.34;  ///< Largest share of the accepted rows that one class may have.
  /// Largest share of a source's tracklets of which the source model may be unsure; see
  /// ood_gate.h. 1: any.
  double max_unsure = 0.15;
  int frozen_blocks = -1;  ///< Residual blocks that never change; -1: all but the last stage's.
  /// Fewer remembered tracklets than this, and nothing is learnt yet.
  int min_memory = 64;
  double reuse = 4;          ///< Draws of one remembered tracklet, at most, before new ones come.
  int canary_interval = 50;  ///< Steps between two looks at the canary.
  double canary_margin = 0.0025;  ///< Of either score, that a candidate may lose and still serve.
  double rollback_margin = 0.03;  ///< A candidate that lost more is thrown away.
  std::uint64_t seed = 1;         ///< Of what is drawn at random.
  std::string device = "cpu";     ///< Of the networks, as resolve_device() takes it.

  /// Throws std::runtime_error that names the field and its range.
  FER_API void check() const;
};

FER_API void to_json(nlohmann::json& json, const OnlineConfig& config);

}  // namespace fer
