#include "learn/policies/threshold_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "error_of.h"
#include "unit/learn/tensors.h"

namespace fer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string error_of(const std::string& text) {
  return test::error_of([&] { make_threshold_policy(text, 3, 100); });
}

/// A step of `n` unlabelled and labelled rows that are random but the same for a seed.
PolicyInput random_step(int n, int seed) {
  torch::manual_seed(static_cast<std::uint64_t>(seed));
  PolicyInput step;
  step.unlabelled = torch::softmax(torch::randn({n, 3}) * 4, 1);
  step.labelled = torch::softmax(torch::randn({n, 3}) * 4, 1);
  step.labels = torch::randint(3, {n}, torch::kLong);
  step.step = seed;
  step.epoch = seed / 3;
  return step;
}

TEST(ThresholdPolicy, NamesWhatThereIs) {
  EXPECT_THAT(error_of("strict"),
              AllOf(HasSubstr("\"strict\""), HasSubstr("fixed"), HasSubstr("flex"),
                    HasSubstr("free"), HasSubstr("soft"), HasSubstr("ada-cm"), HasSubstr("dta")));
  EXPECT_THAT(error_of("fixed:t=0.9"),
              AllOf(HasSubstr("no setting \"t\""), HasSubstr("it has tau")));
  EXPECT_THAT(error_of("fixed:tau=1.5"), AllOf(HasSubstr("[0, 1]"), HasSubstr("1.5")));
  EXPECT_THAT(error_of("fixed:tau=high"), HasSubstr("\"tau=high\""));
  EXPECT_THAT(error_of("fixed:tau"), HasSubstr("\"tau\""));
  EXPECT_EQ(error_of("fixed:tau=0.9"), "");
}

TEST(ThresholdPolicy, GoesOnFromItsStateElsewhere) {
  for (const std::string& name : threshold_policy_names()) {
    const auto whole = make_threshold_policy(name, 3, 50),
               first = make_threshold_policy(name, 3, 50);
    for (int i = 0; i < 7; ++i) whole->update_and_label(random_step(8, i));
    for (int i = 0; i < 4; ++i) first->update_and_label(random_step(8, i));
    const auto second = make_threshold_policy(name, 3, 50);
    second->load_state_dict(first->state_dict());
    for (int i = 4; i < 7; ++i) second->update_and_label(random_step(8, i));
    EXPECT_TRUE(torch::equal(second->thresholds(), whole->thresholds())) << name;
    for (const auto& [key, tensor] : whole->state_dict())
      EXPECT_TRUE(torch::equal(second->state_dict().at(key), tensor)) << name << ' ' << key;
  }
}

TEST(ThresholdPolicy, KeepsAStateOfFewNumbers) {
  for (const std::string& name : threshold_policy_names()) {
    const auto policy = make_threshold_policy(name, 3, 100000);
    policy->update_and_label(random_step(64, 0));
    std::int64_t numbers = 0;
    for (const auto& [key, tensor] : policy->state_dict()) numbers += tensor.numel();
    EXPECT_LE(numbers, 4 * 3) << name;
  }
}

TEST(ThresholdPolicy, RefusesTheStateOfAnother) {
  const auto free = make_threshold_policy("free", 3, 1), dta = make_threshold_policy("dta", 3, 1);
  EXPECT_THROW(dta->load_state_dict(free->state_dict()), std::runtime_error);
  const auto larger = make_threshold_policy("dta", 4, 1);
  EXPECT_THROW(dta->load_state_dict(larger->state_dict()), std::runtime_error);
}

TEST(ThresholdPolicy, DescribesItself) {
  const auto policy = make_threshold_policy("dta:beta=0.5", 3, 1);
  const nlohmann::json about = policy->describe();
  EXPECT_EQ(about["policy"], "dta");
  EXPECT_EQ(about["settings"]["beta"], 0.5);
  EXPECT_EQ(about["settings"]["t-min"], 0.8);
  EXPECT_EQ(about["thresholds"].size(), 3u);
  EXPECT_EQ(about["state"]["sum"].size(), 3u);
}

TEST(ThresholdPolicy, TracksNoGradients) {
  for (const std::string& name : threshold_policy_names()) {
    PolicyInput step = random_step(4, 1);
    step.unlabelled = step.unlabelled.requires_grad_();
    step.labelled = step.labelled.requires_grad_();
    const auto policy = make_threshold_policy(name, 3, 10);
    EXPECT_FALSE(policy->update_and_label(step).weights.requires_grad()) << name;
    for (const auto& [key, tensor] : policy->state_dict())
      EXPECT_FALSE(tensor.requires_grad()) << name;
  }
}

}  // namespace
}  // namespace fer
