// What ferpublish and a real broker agree on beyond records: TLS, who is there, what is kept, what
// waits on disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "element_test.h"
#include "error_of.h"
#include "free_port.h"
#include "made_up_faces.h"
#include "mqtt_broker.h"
#include "scoped.h"
#include "scrape.h"

namespace fer {
namespace {

using namespace test;
using Json = nlohmann::json;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class FerPublishBroker : public testing::Test {
 protected:
  FerPublishBroker() { mosquitto_lib_init(); }
  ~FerPublishBroker() override {
    harness_.reset();
    mosquitto_lib_cleanup();
  }

  void play(Properties properties = {}, const std::string& address = "") {
    properties.emplace_back("method", "mqtt");
    properties.emplace_back("address", address.empty() ? address_ : address);
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
  bool reaches(const char* field, double value) {
    return eventually([&] { return stat(element(), field) == value; });
  }
  std::string warning() {
    const MessagePtr message = harness_->messages().wait(GST_MESSAGE_WARNING);
    return message ? message_text(message.get()) : "no warning";
  }
  GstElement* element() { return harness_->element(); }

  const int port_ = free_port();
  const std::string address_ = "127.0.0.1:" + std::to_string(port_);
  const ScopedFolder folder_;
  std::unique_ptr<Harness> harness_;
};

// --- Who is there, and what is kept.

TEST_F(FerPublishBroker, SaysWhetherItIsThere) {
  const Broker broker(port_);
  Subscriber watcher(port_, "fer/#");
  play({{"source", "door"}});
  watcher.wait_for_last("fer/door/faces/available", "online");
  push_frames(0, 1);
  EXPECT_THAT(watcher.wait_for(1), SizeIs(1));
  harness_.reset();
  watcher.wait_for_last("fer/door/faces/available", "offline");
  Subscriber later(port_, "fer/#");
  later.wait_for_last("fer/door/faces/available", "offline");  // It is retained.
}

TEST_F(FerPublishBroker, TheBrokerSaysThatItDied) {
  const Broker broker(port_);
  Subscriber watcher(port_, "fer/#");
  const pid_t child = fork();
  if (child == 0) {
    execlp("gst-launch-1.0", "gst-launch-1.0", "-q", "videotestsrc", "is-live=true", "!",
           "ferpublish", "method=mqtt", ("address=" + address_).c_str(), "!", "fakesink", nullptr);
    _exit(127);
  }
  watcher.wait_for_last("fer/faces/available", "online");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  watcher.wait_for_last("fer/faces/available", "offline");
}

TEST_F(FerPublishBroker, EachCameraHasATopicOfItsOwn) {
  const Broker broker(port_);
  Subscriber watcher(port_, "fer/+/faces");
  play({{"source", "door"}});
  std::unique_ptr<Harness> door = std::move(harness_);
  play({{"source", "hall/2"}});
  push_frames(0, 1);
  std::swap(harness_, door);
  push_frames(0, 1);
  std::map<std::string, std::string> sources;
  for (const auto& message : watcher.until([](const auto& all) { return all.size() >= 2; })) {
    sources[message.topic] = Json::parse(message.text)["source"];
  }
  EXPECT_EQ(sources, (std::map<std::string, std::string>{{"fer/door/faces", "door"},
                                                         {"fer/hall_2/faces", "hall/2"}}));
}

TEST_F(FerPublishBroker, KeepsTheLastRecordWhereAsked) {
  const Broker broker(port_);
  for (const bool retain : {false, true}) {
    play({{"topic", retain ? "kept" : "not"}, {"retain", retain ? "true" : "false"}});
    push_frames(0, 5);
    EXPECT_TRUE(reaches("acknowledged", 5));
  }
  Subscriber later(port_, "+");
  const auto records = later.wait_for(1);
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0]["timestamp"], 4);
}

TEST_F(FerPublishBroker, QualityOfServiceZeroIsAcknowledgedByNobody) {
  const Broker broker(port_);
  Subscriber watcher(port_, "fer/#");
  for (const std::string qos : {"0", "2"}) {
    play({{"mqtt-qos", qos}});
    push_frames(0, 10);
    EXPECT_TRUE(reaches("published", 10));
    EXPECT_TRUE(harness_->push_event(gst_event_new_eos()));
    EXPECT_EQ(stat(element(), "acknowledged"), qos == "0" ? 0 : 10);
    harness_.reset();
  }
  EXPECT_THAT(watcher.wait_for(20), SizeIs(20));
}

TEST_F(FerPublishBroker, ConnectsUnderTheClientIdThatItWasGiven) {
  const Broker broker(port_, "allow_anonymous true\nclientid_prefixes camera-\n");
  play({{"client-id", "camera-7"}});
  push_frames(0, 1);
  EXPECT_TRUE(reaches("acknowledged", 1));
}

TEST_F(FerPublishBroker, IsFoundByHomeAssistant) {
  const Broker broker(port_);
  play({{"source", "Front door"}, {"discovery-prefix", "homeassistant"}});
  push_frames(0, 1);
  EXPECT_TRUE(reaches("acknowledged", 1));
  Subscriber later(port_, "homeassistant/#");
  const auto messages = later.until([](const auto& all) { return all.size() >= 2; });
  std::set<std::string> ids;
  for (const auto& message : messages) {
    EXPECT_TRUE(message.retained);
    EXPECT_THAT(message.topic, testing::MatchesRegex("homeassistant/sensor/[a-zA-Z0-9_-]+/"
                                                     "(faces|expression)/config"));
    const Json config = Json::parse(message.text);
    EXPECT_EQ(config["state_topic"], "fer/Front door/faces");
    EXPECT_EQ(config["availability_topic"], "fer/Front door/faces/available");
    EXPECT_EQ(config["device"]["name"], "Front door");
    EXPECT_THAT(config["value_template"].get<std::string>(), HasSubstr("value_json.objects"));
    ids.insert(config["unique_id"]);
  }
  EXPECT_THAT(ids, SizeIs(2));
}

// --- What waits on disk.

class FerPublishSpool : public FerPublishBroker {
 protected:
  void SetUp() override {
    const ElementPtr probe = make_element("ferpublish", {});
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(probe.get()), "spool") == nullptr) {
      GTEST_SKIP() << "built without SQLite";
    }
  }
  void play_spooled(Properties more = {}) {
    more.emplace_back("spool", spool_);
    play(more);
  }
  static std::vector<int> times(const std::vector<Json>& records) {
    std::vector<int> found;
    for (const Json& record : records) found.push_back(record["timestamp"]);
    return found;
  }
  static std::vector<int> numbers(int from, int to) {
    std::vector<int> all;
    for (int i = from; i < to; ++i) all.push_back(i);
    return all;
  }

  const std::string spool_ = folder_.path() / "spool";
};

TEST_F(FerPublishSpool, OutlivesTheBrokersAbsenceAndOurRestart) {
  play_spooled({{"max-queue", "5000"}});
  push_frames(0, 400);
  EXPECT_TRUE(reaches("spooled", 400));
  harness_.reset();
  play_spooled({{"max-queue", "5000"}});
  push_frames(400, 600);
  EXPECT_TRUE(reaches("spooled", 600));
  EXPECT_EQ(stat(element(), "dropped"), 0);
  harness_.reset();
  // First somebody who listens, then who publishes.
  const Broker broker(port_);
  Subscriber watcher(port_, "fer/faces");
  play_spooled();
  push_frames(600, 610);
  EXPECT_EQ(times(watcher.wait_for(610)), numbers(0, 610));
  EXPECT_TRUE(reaches("spooled", 0));
  EXPECT_EQ(stat(element(), "dropped"), 0);
  EXPECT_EQ(stat(element(), "acknowledged"), 610);
  harness_.reset();
  play_spooled();
  EXPECT_EQ(stat(element(), "spooled"), 0) << "what was acknowledged is not sent again";
}

TEST_F(FerPublishSpool, LosesNothingWhereTheBrokerIsKilledAgainAndAgain) {
  play_spooled({{"max-queue", "5000"}});
  for (int round = 0; round < 3; ++round) {
    {
      const Broker broker(port_);
      Subscriber watcher(port_, "fer/faces");
      push_frames(round * 200, round * 200 + 100);
      std::set<int> arrived;
      watcher.until([&](const auto&) {
        for (const int time : times(watcher.wait_for(0))) arrived.insert(time);
        return arrived.count(round * 200 + 99) == 1;
      });
      for (int i = round * 200; i < round * 200 + 100; ++i) EXPECT_EQ(arrived.count(i), 1u) << i;
    }
    push_frames(round * 200 + 100, round * 200 + 200);  // Nobody is there.
  }
  const Broker broker(port_);
  EXPECT_TRUE(reaches("acknowledged", 600));
  EXPECT_TRUE(reaches("spooled", 0));
  EXPECT_EQ(stat(element(), "dropped"), 0);
}

TEST_F(FerPublishSpool, IsBoundedAndCountsWhatItLoses) {
  // A record is some 500 bytes.
  play_spooled({{"spool-size", "1"}, {"max-queue", "100000"}});
  push_frames(0, 4000);
  EXPECT_TRUE(eventually(
      [&] { return *stat(element(), "spooled") + *stat(element(), "dropped") == 4000; }));
  EXPECT_GT(*stat(element(), "dropped"), 0);
  EXPECT_LT(std::filesystem::file_size(spool_), 4u << 20);
  const auto kept = static_cast<std::size_t>(*stat(element(), "spooled"));
  harness_.reset();
  // The broker drops what a subscriber does not take fast enough, unless it is told not to.
  const Broker broker(port_, "allow_anonymous true\nmax_queued_messages 0\n");
  Subscriber watcher(port_, "fer/faces");
  play_spooled();
  EXPECT_EQ(times(watcher.wait_for(kept)), numbers(4000 - static_cast<int>(kept), 4000));
}

TEST_F(FerPublishSpool, IsOneElementsAlone) {
  play_spooled();
  EXPECT_THAT(start_error("ferpublish", {{"method", "mqtt"}, {"spool", spool_}}),
              AllOf(HasSubstr(spool_), HasSubstr("another element")));
}

// --- TLS.

#ifndef OPENSSL
TEST_F(FerPublishBroker, KnowsTls) {
  GTEST_SKIP() << "there is no openssl, which makes the certificates";
}
#else

class FerPublishTls : public FerPublishBroker {
 protected:
  /// An authority, a certificate for 127.0.0.1 that it signed, one for another host, one of a
  /// client, and another authority with a certificate for 127.0.0.1.
  void SetUp() override {
    const std::string script =
        "set -e; cd '" + folder_.path().string() +
        "'; ca() { " OPENSSL
        " req -x509 -newkey rsa:2048 -nodes -keyout $1.key -out $1.pem -days 2 -subj /CN=$1; }; "
        "leaf() { " OPENSSL
        " req -newkey rsa:2048 -nodes -keyout $2.key -out $2.csr -subj /CN=$2; "
        "echo \"$3\" >ext; " OPENSSL
        " x509 -req -in $2.csr -CA $1.pem -CAkey $1.key -CAcreateserial -out $2.pem -days ${4-2} "
        "-extfile ext; }; "
        "ca ours; ca theirs; leaf ours broker subjectAltName=IP:127.0.0.1; "
        "leaf ours elsewhere subjectAltName=DNS:elsewhere.example; "
        "leaf ours client subjectAltName=DNS:client; "
        "leaf theirs stranger subjectAltName=IP:127.0.0.1; cat client.pem client.key >both.pem";
    ASSERT_EQ(std::system(("(" + script + ") >/dev/null 2>&1").c_str()), 0);
  }
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string listening(const std::string& name, const std::string& more = "") const {
    return "allow_anonymous true\ncertfile " + file(name + ".pem") + "\nkeyfile " +
           file(name + ".key") + "\n" + more;
  }
  /// Once the broker listens, so that the first warning is about its certificate.
  void play_tls(Properties properties) {
    EXPECT_TRUE(eventually([&] { return error_of([&] { Connection probe(port_); }).empty(); }));
    play(std::move(properties), "mqtts://" + address_);
  }
  void expect_refused() {
    push_frames(0, 2);
    EXPECT_THAT(warning(),
                AllOf(HasSubstr(address_), HasSubstr("cannot be reached"),
                      AnyOf(HasSubstr("verif"), HasSubstr("certificate"), HasSubstr("TLS"))));
    EXPECT_EQ(stat(element(), "published"), 0);
  }
};

TEST_F(FerPublishTls, PublishesToABrokerThatMatches) {
  const Broker broker(port_, listening("broker"));
  play_tls({{"ca-file", file("ours.pem")}});
  push_frames(0, 3);
  EXPECT_TRUE(reaches("acknowledged", 3));
}

TEST_F(FerPublishTls, TrustsWhomTheSystemTrustsUnlessToldOtherwise) {
  const Broker broker(port_, listening("broker"));
  const ScopedVariable trusted("SSL_CERT_FILE", file("ours.pem"));
  play_tls({});
  push_frames(0, 3);
  EXPECT_TRUE(reaches("acknowledged", 3));
}

TEST_F(FerPublishTls, RefusesABrokerOfAnotherAuthority) {
  const Broker broker(port_, listening("stranger"));
  play_tls({{"ca-file", file("ours.pem")}});
  expect_refused();
}

TEST_F(FerPublishTls, RefusesABrokerOfAnotherName) {
  const Broker broker(port_, listening("elsewhere"));
  play_tls({{"ca-file", file("ours.pem")}});
  expect_refused();
}

TEST_F(FerPublishTls, RefusesABrokerThatNobodyVouchesFor) {
  const Broker broker(port_, listening("broker"));
  play_tls({});
  expect_refused();
}

TEST_F(FerPublishTls, ShowsItsCertificateWhereTheBrokerAsks) {
  const Broker broker(
      port_, listening("broker", "cafile " + file("ours.pem") + "\nrequire_certificate true\n"));
  play_tls({{"ca-file", file("ours.pem")}});
  push_frames(0, 1);
  EXPECT_THAT(warning(), HasSubstr(address_));
  EXPECT_EQ(stat(element(), "acknowledged"), 0);
  for (const Properties& ours :
       {Properties{{"cert-file", file("client.pem")}, {"key-file", file("client.key")}},
        Properties{{"cert-file", file("both.pem")}}}) {
    Properties all = ours;
    all.emplace_back("ca-file", file("ours.pem"));
    play_tls(all);
    push_frames(0, 3);
    EXPECT_TRUE(reaches("acknowledged", 3));
  }
}

TEST_F(FerPublishTls, SaysWhichFileIsMissing) {
  const auto complaint = [&](Properties properties, const std::string& address) {
    properties.emplace_back("method", "mqtt");
    properties.emplace_back("address", address);
    return start_error("ferpublish", properties);
  };
  const std::string tls = "mqtts://" + address_;
  for (const std::string name : {"ca-file", "cert-file"}) {
    EXPECT_THAT(complaint({{name, "/no/such.pem"}}, tls),
                AllOf(HasSubstr("/no/such.pem"), HasSubstr("No such file")));
  }
  EXPECT_THAT(complaint({{"key-file", file("client.key")}}, tls), HasSubstr("cert-file"));
  EXPECT_THAT(complaint({{"ca-file", file("ours.pem")}}, "mqtt://" + address_),
              HasSubstr("mqtts://"));
}

#endif

}  // namespace
}  // namespace fer
