#include "stream/learner_config.h"

#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace fer {
namespace {

void require(const char* field, double value, double low, double high) {
  if (value >= low && value <= high) return;
  char text[160];
  std::snprintf(text, sizeof text, "%s: expected a number from %g to %g, found %g", field, low,
                high, value);
  throw std::runtime_error(text);
}

constexpr std::pair<const char*, bool GuardConfig::*> kGuards[] = {
    {"tracklets", &GuardConfig::tracklets},
    {"memory", &GuardConfig::memory},
    {"replay", &GuardConfig::replay},
    {"teacher", &GuardConfig::teacher},
    {"freeze-norm", &GuardConfig::freeze_norm},
    {"class-balance", &GuardConfig::class_balance},
    {"agreement", &GuardConfig::agreement},
    {"weight-anchor", &GuardConfig::weight_anchor},
    {"canary", &GuardConfig::canary},
    {"part-way", &GuardConfig::part_way},
    {"prior", &GuardConfig::prior},
    {"ood-gate", &GuardConfig::ood_gate}};

constexpr const char* kStores[] = {"latents", "crops", "nothing"};  ///< As SampleStore.

/// Names of version 0.1, and what they are called now.
constexpr std::pair<const char*, const char*> kDeprecatedGuards[] = {
    {"share-cap", "class-balance"}, {"pull", "weight-anchor"}, {"familiar", "ood-gate"}};

}  // namespace

const char* name_of(SampleStore store) {
  return kStores[static_cast<std::size_t>(store)];
}

SampleStore sample_store_named(const std::string& name) {
  for (std::size_t i = 0; i < std::size(kStores); ++i)
    if (name == kStores[i]) return static_cast<SampleStore>(i);
  throw std::runtime_error("store \"" + name +
                           "\" is not known; expected one of latents, crops, nothing");
}

const std::vector<std::string>& guard_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, guard] : kGuards) all.push_back(name);
    return all;
  }();
  return names;
}

bool& guard_named(GuardConfig& guards, const std::string& name) {
  std::string known, current = name;
  for (const auto& [old, replacement] : kDeprecatedGuards)
    if (name == old) current = replacement;
  for (const auto& [key, guard] : kGuards) {
    if (current == key) return guards.*guard;
    known += (known.empty() ? "" : ", ") + std::string(key);
  }
  throw std::runtime_error("guard \"" + name + "\" is not known; expected one of " + known);
}

void OnlineConfig::check() const {
  require("tracklet seconds", tracklet.seconds, 0, 3600);
  require("tracklet gap", tracklet.gap, 0, 3600);
  require("tracklet min-frames", tracklet.min_frames, 1, 100000);
  require("tracklet keep", tracklet.keep, 1, 16);
  require("tracklet max-flips", tracklet.max_flips, 0, 1);
  require("tracklet min-majority", tracklet.min_majority, 0, 1);
  require("prototypes per-class", prototypes.per_class, 1, 100000);
  require("prototypes mix", prototypes.mix, 0, 1);
  require("prototypes prior-correction", prototypes.prior_correction, 0, 1);
  require("max-sample-age", max_sample_age, 0, 1e10);
  if (!gradient_steps && !prototypes.enabled)
    throw std::runtime_error("prototypes and gradient steps are both off: nothing can be learnt");
  require("memory per-class", memory.per_class, 1, 100000);
  require("memory per-identity", memory.per_identity, 1, 100000);
  require("batch", batch, 1, 4096);
  require("replay-share", replay_share, 0.5, 0.95);
  require("strength", strength, 0, 1);
  require("learning-rate", learning_rate, 0, 1);
  require("momentum", momentum, 0, 0.999);
  require("lambda-x", lambda_x, 0, 100);
  require("lambda-u", lambda_u, 0, 100);
  require("lambda-n", lambda_n, 0, 100);
  require("ema", ema, 0, 0.999999);
  require("weight-anchor", weight_anchor, 0, 1);
  require("prior-correction", prior_correction, 0, 1);
  require("distillation-weight", distillation_weight, 0, 1);
  require("keep-prior", keep_prior, 0, 1);
  require("max-class-share", max_class_share, 0.01, 1);
  require("max-unsure", max_unsure, 0, 1);
  require("frozen-blocks", frozen_blocks, -1, 1000);
  require("min-memory", min_memory, 1, 1000000);
  require("reuse", reuse, 0.01, 1e6);
  require("canary-interval", canary_interval, 1, 1000000);
  require("canary-margin", canary_margin, 0, 1);
  require("rollback-margin", rollback_margin, canary_margin, 1);
}

void to_json(nlohmann::json& j, const OnlineConfig& c) {
  nlohmann::json guards;
  for (const auto& [name, guard] : kGuards) guards[name] = c.guards.*guard;
  j = {{"gates",
        {{"min_confidence", c.gates.min_confidence},
         {"min_size", c.gates.min_size},
         {"min_mean", c.gates.min_mean},
         {"max_mean", c.gates.max_mean},
         {"min_sharpness", c.gates.min_sharpness}}},
       {"tracklet",
        {{"seconds", c.tracklet.seconds},
         {"gap", c.tracklet.gap},
         {"min_frames", c.tracklet.min_frames},
         {"keep", c.tracklet.keep},
         {"max_flips", c.tracklet.max_flips},
         {"min_majority", c.tracklet.min_majority}}},
       {"memory", {{"per_class", c.memory.per_class}, {"per_identity", c.memory.per_identity}}},
       {"guards", std::move(guards)},
       {"prototypes",
        {{"enabled", c.prototypes.enabled},
         {"per_class", c.prototypes.per_class},
         {"mix", c.prototypes.mix},
         {"prior_correction", c.prototypes.prior_correction}}},
       {"gradient_steps", c.gradient_steps},
       {"store", name_of(c.store)},
       {"max_sample_age", c.max_sample_age},
       {"threshold_policy", c.threshold_policy},
       {"negative_policy", c.negative_policy},
       {"batch", c.batch},
       {"replay_share", c.replay_share},
       {"strength", c.strength},
       {"learning_rate", c.learning_rate},
       {"momentum", c.momentum},
       {"lambda_x", c.lambda_x},
       {"lambda_u", c.lambda_u},
       {"lambda_n", c.lambda_n},
       {"ema", c.ema},
       {"weight_anchor", c.weight_anchor},
       {"prior_correction", c.prior_correction},
       {"distillation_weight", c.distillation_weight},
       {"keep_prior", c.keep_prior},
       {"max_class_share", c.max_class_share},
       {"max_unsure", c.max_unsure},
       {"frozen_blocks", c.frozen_blocks},
       {"min_memory", c.min_memory},
       {"reuse", c.reuse},
       {"canary_interval", c.canary_interval},
       {"canary_margin", c.canary_margin},
       {"rollback_margin", c.rollback_margin},
       {"seed", c.seed},
       {"device", c.device}};
}

}  // namespace fer
