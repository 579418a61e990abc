// ferpublish and a real broker on the loopback interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mosquitto.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "element_test.h"
#include "free_port.h"
#include "made_up_faces.h"
#include "mqtt_broker.h"

namespace fer {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Json = nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::Eq;
using testing::HasSubstr;
using testing::Not;
using testing::ResultOf;
using testing::SizeIs;

class FerPublishMqtt : public testing::Test {
 protected:
  FerPublishMqtt() { mosquitto_lib_init(); }
  ~FerPublishMqtt() override { mosquitto_lib_cleanup(); }

  void play(const std::string& address, Properties properties = {}) {
    properties.emplace_back("method", "mqtt");
    properties.emplace_back("address", address);
    harness_ = std::make_unique<Harness>(make_element("ferpublish", properties));
    harness_->set_caps(video_caps("I420", 64, 48));
  }
  void push_frames(int from, int to) {
    const GstVideoInfo info = video_info("I420", 64, 48);
    for (int i = from; i < to; ++i) {
      BufferPtr buffer(gst_buffer_new_allocate(nullptr, 10, nullptr));
      GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(i);
      face_meta_write(buffer.get(), info, {with_expression(face_at(0, 0, 1, 1, 1), 2)});
      EXPECT_EQ(harness_->push(std::move(buffer)), GST_FLOW_OK);
      EXPECT_TRUE(harness_->try_pull());
    }
  }
  std::string warning() {
    const MessagePtr message = harness_->messages().wait(GST_MESSAGE_WARNING);
    return message ? message_text(message.get()) : "no warning";
  }
  bool connected() {
    gboolean connected = FALSE;
    const StructurePtr stats = property<StructurePtr>(element(), "stats");
    EXPECT_TRUE(gst_structure_get_boolean(stats.get(), "connected", &connected));
    return connected == TRUE;
  }
  GstElement* element() { return harness_->element(); }

  const int port_ = free_port();
  const std::string address_ = "127.0.0.1:" + std::to_string(port_);
  std::unique_ptr<Harness> harness_;
};

TEST_F(FerPublishMqtt, PublishesOneMessageAFrame) {
  const Broker broker(port_);
  Subscriber subscriber(port_, "some/topic");
  play("mqtt://" + address_, {{"topic", "some/topic"}});
  push_frames(0, 100);
  EXPECT_TRUE(harness_->push_event(gst_event_new_eos()));
  EXPECT_EQ(stat(element(), "published"), 100) << "at the end of the stream";
  EXPECT_EQ(stat(element(), "acknowledged"), 100);
  const auto records = subscriber.wait_for(100);
  ASSERT_THAT(records, SizeIs(100));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(records[static_cast<std::size_t>(i)]["timestamp"], i);
  }
  EXPECT_EQ(records[0]["objects"][0]["emotion"]["label"], "surprise");
  EXPECT_EQ(harness_->messages().count(GST_MESSAGE_WARNING), 0);
}

TEST_F(FerPublishMqtt, ABrokerMayComeLate) {
  play(address_, {{"max-queue", "5"}});
  EXPECT_THAT(warning(), AllOf(HasSubstr(address_), HasSubstr("cannot be reached")));
  push_frames(0, 20);
  EXPECT_EQ(stat(element(), "dropped"), 15);
  const Broker broker(port_);
  EXPECT_TRUE(eventually([&] { return stat(element(), "published") == 5; }));
  Subscriber subscriber(port_, "fer/#");
  push_frames(20, 23);
  // The broker may read the last of the five only after the subscription.
  EXPECT_THAT(subscriber.wait_for(3),
              Contains(ResultOf([](const auto& record) { return record["timestamp"]; }, Eq(20))));
}

TEST_F(FerPublishMqtt, ALostBrokerCostsAWarning) {
  auto broker = std::make_unique<Broker>(port_);
  {
    Subscriber subscriber(port_, "fer/#");
    play(address_);
    push_frames(0, 3);
    subscriber.wait_for(3);
  }
  broker.reset();
  // It is told apart from a broker that is not there, and though nothing is published just now.
  EXPECT_THAT(warning(), AllOf(HasSubstr(address_), HasSubstr("lost")));
  push_frames(3, 10);
  broker = std::make_unique<Broker>(port_);
  Subscriber subscriber(port_, "fer/#");
  EXPECT_TRUE(eventually([&] { return stat(element(), "published") == 10; }));
  push_frames(10, 11);
  // What was published before the subscriber was there again did not reach it.
  subscriber.until([](const std::vector<Subscriber::Message>& messages) {
    return !messages.empty() && messages.back().text.starts_with('{') &&
           nlohmann::json::parse(messages.back().text)["timestamp"] == 10;
  });
  EXPECT_TRUE(eventually([&] { return stat(element(), "acknowledged") == 11; }));
  EXPECT_EQ(stat(element(), "dropped"), 0);
  EXPECT_EQ(stat(element(), "reconnects"), 1);
}

TEST_F(FerPublishMqtt, CountsWhatTheBrokerAcknowledged) {
  // A broker that takes all and acknowledges nothing: it accepts the connection alone.
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(port_));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  std::jthread broker([&] {
    const int client = accept(listener, nullptr, nullptr);
    char letters[4096];
    if (recv(client, letters, sizeof letters, 0) > 0) send(client, "\x20\x02\0\0", 4, MSG_NOSIGNAL);
    while (recv(client, letters, sizeof letters, 0) > 0) {
    }
    close(client);
  });
  play(address_);
  push_frames(0, 5);
  EXPECT_TRUE(eventually([&] { return stat(element(), "published") == 5; }));
  EXPECT_EQ(stat(element(), "acknowledged"), 0);
  gst_element_set_state(element(), GST_STATE_NULL);
  EXPECT_EQ(stat(element(), "acknowledged"), 0);
  close(listener);
}

TEST_F(FerPublishMqtt, StopsWithoutABroker) {
  play(address_);
  push_frames(0, 3);
  gst_element_set_state(element(), GST_STATE_NULL);
  EXPECT_EQ(stat(element(), "dropped"), 3);
}

TEST_F(FerPublishMqtt, StopsAfterTheBrokerWasLost) {
  auto broker = std::make_unique<Broker>(port_);
  const Subscriber its_there(port_, "fer/#");  // so that this is the only fault
  play(address_);
  push_frames(0, 1);
  EXPECT_TRUE(eventually([&] { return stat(element(), "published") == 1; }));
  broker.reset();
  EXPECT_TRUE(eventually([&] { return !connected(); }));
  push_frames(1, 4);
  EXPECT_THAT(warning(), HasSubstr("lost"));
  gst_element_set_state(element(), GST_STATE_NULL);
  EXPECT_EQ(stat(element(), "published"), 1);
  EXPECT_EQ(stat(element(), "dropped"), 3);
}

TEST_F(FerPublishMqtt, SaysWhyAHostIsNotFoundInOneSentence) {
  play("no-such-host.invalid");
  EXPECT_THAT(warning(), AllOf(HasSubstr("no-such-host.invalid"), Not(HasSubstr("error.."))));
}

TEST_F(FerPublishMqtt, RefusesAddressesAndTopicsThatMakeNoSense) {
  const auto complaint = [](const char* property, const std::string& value) {
    return start_error("ferpublish", {{property, value}, {"method", "mqtt"}});
  };
  for (const std::string address : {"http://host", "", "host:port", "mqtt://", "host:99999999"}) {
    EXPECT_THAT(complaint("address", address), HasSubstr("\"" + address + "\""));
  }
  for (const std::string address :
       {"mqtt://me:s3cret@host:port", "me:s3cret@host:99999999", "http://me:s3cret@host",
        "me:s3/cret@host", "me:s3@cret@host:port", "me:s3%cret@host"}) {
    EXPECT_THAT(complaint("address", address),
                AllOf(HasSubstr("host"), Not(HasSubstr("s3")), Not(HasSubstr("cret"))));
  }
  EXPECT_THAT(complaint("address", "me:s3/cret@host"), HasSubstr("%XX"));
  for (const std::string topic : {"", "fer/#", "+/x"}) {
    EXPECT_THAT(complaint("topic", topic), HasSubstr("\"" + topic + "\""));
  }
}

}  // namespace
}  // namespace fer
