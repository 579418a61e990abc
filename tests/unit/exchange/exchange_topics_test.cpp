#include "exchange/exchange_topics.h"

#include <gtest/gtest.h>

#include "error_of.h"

namespace fer {
namespace {

TEST(ExchangeTopics, LieBelowTheBaseAndTheSlot) {
  const ExchangeTopics topics("house/fer", "door");
  EXPECT_EQ(topics.evidence, "house/fer/door/evidence");
  EXPECT_EQ(topics.shared_evidence, "$share/fer-learn/house/fer/door/evidence");
  EXPECT_EQ(topics.model, "house/fer/door/model");
  EXPECT_EQ(topics.serving("host-1"), "house/fer/door/collector/host-1/serving");
  EXPECT_EQ(topics.available("a/b"), "house/fer/door/collector/a_b/available");
  EXPECT_EQ(ExchangeTopics("fer", "a/+#").model, "fer/a___/model");
}

TEST(ExchangeTopics, TheBaseComesWithTheAddress) {
  EXPECT_EQ(exchange_connection({"mqtt://host/house/fer", "", "", ""}, "me").address.path,
            "house/fer");
  EXPECT_EQ(exchange_connection({"mqtts://me:secret@host:99/", "", "", ""}, "me").address.path,
            "fer");
  EXPECT_NE(test::error_of([] { exchange_connection({"http://host", "", "", ""}, "me"); }), "");
  EXPECT_NE(test::error_of([] { ExchangeTopics("a/+", "door"); }), "");
}

}  // namespace
}  // namespace fer
