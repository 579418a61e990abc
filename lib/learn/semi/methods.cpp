#include "learn/semi/methods.h"

#include <stdexcept>

#include "learn/policies/negative_policy.h"
#include "learn/policies/threshold_policy.h"

namespace fer {
namespace {

constexpr char kDta[] = "dta:t-min=0.3,t-max=0.6";

}  // namespace

const std::vector<Method>& methods() {
  // Weights as each paper or its published code has them. Ours were chosen on FER+'s validation
  // split (docs/explanation/results.md, E1): labels count in full, and the threshold is capped far
  // below the confidence that a teacher has in the few labels that it knows by heart.
  static const std::vector<Method> all{
      {"supervised", "", "none", 1, 0, 0},
      {"fixmatch", "fixed", "none", 1, 1, 0},
      {"flexmatch", "flex", "none", 1, 1, 0},
      {"freematch", "free", "none", 1, 1, 0},
      {"softmatch", "soft", "none", 1, 1, 0},
      {"ada-cm", "ada-cm", "none", 0.5, 1, 0},
      {"dta", kDta, "none", 1, 1, 0},
      {"dta-snl", kDta, "snl", 1, 1, kDefaultLambdaN},
      {"abc", "fixed", "none", 1, 1, 0, 0, /*balanced_head=*/true},
      {"debiaspl", "fixed", "none", 1, 1, 0, /*debias=*/0.5},
      {"dta-cv", "dta-cv", "none", 1, 1, 0},
      {"dta-cv-snl", "dta-cv", "snl-conformal", 1, 1, kDefaultLambdaN},
      {"dta-cv-mix", "dta-cv:mix=1", "none", 1, 1, 0},
      {"cv-soft", "dta-cv:l2=0.2", "none", 1, 1, 0, 0, false, /*map_heads=*/true,
       /*network_share=*/0.5, /*soften=*/0.7},
  };
  return all;
}

Method method_named(const std::string& name) {
  std::string known;
  for (const Method& method : methods()) {
    if (method.name == name) return method;
    known += (known.empty() ? "" : ", ") + method.name;
  }
  throw std::runtime_error("method \"" + name + "\" is not known; expected one of " + known);
}

nlohmann::json describe_policies(const Method& method, int classes) {
  nlohmann::json thresholds;
  if (!method.thresholds.empty()) {
    const auto policy = make_threshold_policy(method.thresholds, classes, 1)->describe();
    thresholds = {{"policy", policy["policy"]}, {"settings", policy["settings"]}};
  }
  return {{"thresholds", thresholds},
          {"negatives", make_negative_policy(method.negatives, classes)->describe()}};
}

std::string threshold_policies_text() {
  return threshold_policy_help();
}
std::string negative_policies_text() {
  return negative_policy_help();
}

void to_json(nlohmann::json& json, const Method& m) {
  json = {{"name", m.name},         {"thresholds", m.thresholds}, {"negatives", m.negatives},
          {"lambda_x", m.lambda_x}, {"lambda_u", m.lambda_u},     {"lambda_n", m.lambda_n}};
  // Absent where there is none, as in the checkpoints of older runs.
  if (m.debias > 0) json["debias"] = m.debias;
  if (m.balanced_head) json["balanced_head"] = true;
  if (m.map_heads) json["map_heads"] = true;
  if (m.network_share > 0) json["network_share"] = m.network_share;
  if (m.soften > 0) json["soften"] = m.soften;
}

}  // namespace fer
