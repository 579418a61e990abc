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
               guards.freeze_norm || guards.share_cap || guards.agreement || guards.pull ||
               guards.canary || guards.part_way || guards.prior || guards.familiar);
  EXPECT_THAT(error_of([&] { guard_named(guards, "luck"); }),
              HasSubstr("expected one of tracklets"));
}

TEST(OnlineConfig, WritesItsGuards) {
  OnlineConfig config;
  config.guards.share_cap = false;
  const nlohmann::json json = config;
  EXPECT_EQ(json["guards"]["share-cap"], false);
  EXPECT_EQ(json["guards"]["canary"], true);
  EXPECT_EQ(json["batch"], 32);
}

}  // namespace
}  // namespace fer
