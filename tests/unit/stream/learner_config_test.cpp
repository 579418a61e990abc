#include "stream/learner_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "error_of.h"

namespace fer {
namespace {

using test::error_of;
using testing::HasSubstr;

TEST(OnlineConfig, IsFineAsItComes) {
  EXPECT_EQ(error_of([] { OnlineConfig().check(); }), "");
}

TEST(OnlineConfig, NamesWhatIsOutOfRange) {
  OnlineConfig config;
  config.replay_share = 0.3;
  EXPECT_THAT(error_of([&] { config.check(); }), HasSubstr("replay-share"));
  config = {};
  config.rollback_margin = config.canary_margin / 2;
  EXPECT_THAT(error_of([&] { config.check(); }), HasSubstr("rollback-margin"));
  config = {};
  config.batch = 0;
  EXPECT_THAT(error_of([&] { config.check(); }), HasSubstr("batch: expected a number from 1"));
}

TEST(OnlineConfig, FindsEachGuardByItsName) {
  GuardConfig guards;
  for (const std::string& name : guard_names()) {
    EXPECT_TRUE(guard_named(guards, name)) << name;
    guard_named(guards, name) = false;
  }
  EXPECT_FALSE(guards.tracklets || guards.memory || guards.replay || guards.teacher ||
               guards.freeze_norm || guards.class_balance || guards.agreement ||
               guards.weight_anchor || guards.canary || guards.part_way || guards.prior ||
               guards.ood_gate);
  EXPECT_THAT(error_of([&] { guard_named(guards, "luck"); }),
              HasSubstr("expected one of tracklets"));
}

TEST(OnlineConfig, TakesTheOldNamesOfGuards) {
  GuardConfig guards;
  guard_named(guards, "share-cap") = false;
  EXPECT_FALSE(guards.class_balance);
  guard_named(guards, "pull") = false;
  EXPECT_FALSE(guards.weight_anchor);
  guard_named(guards, "familiar") = false;
  EXPECT_FALSE(guards.ood_gate);
}

TEST(OnlineConfig, WritesItsGuards) {
  OnlineConfig config;
  config.guards.class_balance = false;
  const nlohmann::json json = config;
  EXPECT_EQ(json["guards"]["class-balance"], false);
  EXPECT_EQ(json["guards"]["canary"], true);
  EXPECT_EQ(json["batch"], 32);
}

}  // namespace
}  // namespace fer
