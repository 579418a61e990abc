#include "mqtt/mqtt_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"

namespace fer {
namespace {

using test::error_of;
using testing::HasSubstr;

TEST(MqttAddress, KnowsPortsAndTls) {
  const MqttAddress plain = parse_mqtt_address("broker");
  EXPECT_EQ(plain.host, "broker");
  EXPECT_EQ(plain.port, 1883);
  EXPECT_FALSE(plain.tls);
  const MqttAddress secure = parse_mqtt_address("mqtts://me:p%40ss@[::1]");
  EXPECT_EQ(secure.host, "::1");
  EXPECT_EQ(secure.port, 8883);
  EXPECT_TRUE(secure.tls);
  EXPECT_EQ(secure.user, "me");
  EXPECT_EQ(secure.password, "p@ss");
  EXPECT_EQ(parse_mqtt_address("mqtts://broker:99").port, 99);
}

TEST(MqttAddress, MayHaveAPath) {
  EXPECT_EQ(parse_mqtt_address("mqtt://broker:1/house/fer/").path, "house/fer");
  EXPECT_EQ(parse_mqtt_address("broker").path, "");
  EXPECT_EQ(parse_mqtt_address("mqtts://broker/").path, "");
}

TEST(MqttAddress, IsShownWithoutItsPassword) {
  EXPECT_EQ(shown_mqtt_address("me:s3cret@host:1"), "***@host:1");
  EXPECT_EQ(shown_mqtt_address("mqtts://me:s3@cret@host"), "mqtts://***@host");
  EXPECT_EQ(shown_mqtt_address("localhost:1883"), "localhost:1883");
}

TEST(MqttTopic, HoldsTheSource) {
  EXPECT_EQ(mqtt_topic("fer/{source}/faces", "door"), "fer/door/faces");
  EXPECT_EQ(mqtt_topic("fer/{source}/faces", ""), "fer/faces");
  EXPECT_EQ(mqtt_topic("{source}/faces", ""), "faces");
  EXPECT_EQ(mqtt_topic("fer/{source}", ""), "fer");
  EXPECT_EQ(mqtt_topic("fer/{source}", "hall/+1#"), "fer/hall__1_");
  EXPECT_EQ(mqtt_topic("plain", "door"), "plain");
}

TEST(MqttTopic, IsRefusedWhereNobodyCanPublish) {
  EXPECT_THAT(error_of([] { mqtt_topic("fer/#", ""); }), HasSubstr("\"fer/#\""));
  EXPECT_THAT(error_of([] { mqtt_topic("{source}", ""); }), HasSubstr("empty"));
}

}  // namespace
}  // namespace fer
