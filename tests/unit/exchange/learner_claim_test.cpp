#include "exchange/learner_claim.h"

#include <gtest/gtest.h>

#include <string>

namespace fer {
namespace {

using std::chrono::milliseconds;

const LearnerClaim::Time kBegin{};

TEST(LearnerClaim, TakesAFreeSlotOnceTheBrokerHadItsSay) {
  LearnerClaim claim("a");
  EXPECT_FALSE(claim.wants_to_claim(kBegin));
  claim.connected(kBegin);
  EXPECT_FALSE(claim.wants_to_claim(kBegin + milliseconds(1000)));
  EXPECT_TRUE(claim.wants_to_claim(kBegin + milliseconds(1600)));
  EXPECT_FALSE(claim.holds());  // Not before the broker has said so.
  claim.heard(claim.claim_text());
  EXPECT_TRUE(claim.holds());
  EXPECT_FALSE(claim.wants_to_claim(kBegin + milliseconds(9000)));
  claim.lost();
  EXPECT_FALSE(claim.holds());
}

TEST(LearnerClaim, OfTwoThatClaimAtOnceTheFirstAtTheBrokerHolds) {
  LearnerClaim a("a"), b("b");
  for (LearnerClaim* one : {&a, &b}) {
    one->connected(kBegin);
    EXPECT_TRUE(one->wants_to_claim(kBegin + milliseconds(1600)));
  }
  for (LearnerClaim* one : {&a, &b}) {
    one->heard(b.claim_text());
    one->heard(a.claim_text());
  }
  EXPECT_FALSE(a.holds());
  EXPECT_TRUE(b.holds());
  // What is retained is the other's: the holder says it again.
  EXPECT_TRUE(b.wants_to_claim(kBegin + milliseconds(1700)));
  EXPECT_FALSE(b.wants_to_claim(kBegin + milliseconds(1800)));
}

TEST(LearnerClaim, StandsByAndTakesOverWhereTheHolderIsGone) {
  LearnerClaim a("a"), b("b");
  b.connected(kBegin);
  b.heard(a.claim_text());
  EXPECT_EQ(b.owner(), "a");
  EXPECT_FALSE(b.wants_to_claim(kBegin + milliseconds(5000)));
  b.heard(LearnerClaim("c").release_text());  // Of another one that stood by.
  EXPECT_EQ(b.owner(), "a");
  b.heard(a.release_text());
  EXPECT_TRUE(b.wants_to_claim(kBegin + milliseconds(5000)));
}

TEST(LearnerClaim, WhoHeldItBeforeTheBrokerWentComesFirst) {
  LearnerClaim a("a"), b("b");
  a.connected(kBegin);
  a.heard(a.claim_text());
  const auto later = kBegin + milliseconds(60000);
  a.lost();
  a.connected(later);
  b.connected(later);
  EXPECT_FALSE(a.holds());
  EXPECT_TRUE(a.wants_to_claim(later + milliseconds(600)));
  EXPECT_FALSE(b.wants_to_claim(later + milliseconds(600)));
}

TEST(LearnerClaim, TakesWhatIsNoneForNothing) {
  LearnerClaim a("a");
  a.connected(kBegin);
  for (const std::string text : {"", "{", "[1]", R"({"service": 5})", R"({"service": ""})", "null"})
    a.heard(text);
  a.heard(R"({"service": ")" + std::string(5000, 'x') + "\"}");
  a.heard(std::string(900, '['));
  EXPECT_EQ(a.owner(), "");
}

}  // namespace
}  // namespace fer
