// Machines of one slot as processes, and a real broker: what they serve, and what becomes of it
// where one of them, the broker or a message fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mosquitto.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "elements/mqtt_broker.h"
#include "exchange/model_message.h"
#include "free_port.h"
#include "model/model_info.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using namespace test;
using Json = nlohmann::json;
using testing::HasSubstr;

/// The program exchange-machine, and what it printed.
class Machine {
 public:
  Machine(std::vector<std::string> arguments, const fs::path& output,
          const std::vector<std::string>& environment = {})
      : output_(output) {
    arguments.insert(arguments.begin(), EXCHANGE_MACHINE);
    std::vector<char*> words, variables;
    for (std::string& word : arguments) words.push_back(word.data());
    words.push_back(nullptr);
    std::vector<std::string> more = environment;
    for (std::string& variable : more) variables.push_back(variable.data());
    for (char** variable = environ; *variable != nullptr; ++variable)
      variables.push_back(*variable);
    variables.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn(&process_, EXCHANGE_MACHINE, &actions, nullptr, words.data(), variables.data());
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Machine() { end(SIGKILL); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void end(int signal) {
    if (process_ <= 0) return;
    kill(process_, signal);
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = 0;
  }

  std::string text() const {
    std::ifstream file(output_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// The last state that it printed; an empty object before the first.
  Json state() const {
    std::ifstream file(output_);
    Json last = Json::object();
    for (std::string line; std::getline(file, line);) {
      Json one = Json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (one.is_object() && one.contains("serving")) last = std::move(one);
    }
    return last;
  }
  std::string serving() const { return state().value("serving", ""); }

 private:
  const fs::path output_;
  pid_t process_ = 0;
};

bool in_a_minute(const std::function<bool()>& condition) {
  return eventually(condition) || eventually(condition);
}

class Exchange : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    made_ = std::make_unique<ScopedFolder>();
    Machine maker({"make", made_->path().string()}, made_->path() / "made");
    ASSERT_TRUE(in_a_minute([] { return fs::exists(made_->path() / "other.fer"); }));
  }
  static void TearDownTestSuite() { made_.reset(); }

  Exchange() { mosquitto_lib_init(); }
  ~Exchange() override {
    machines_.clear();
    mosquitto_lib_cleanup();
  }

  fs::path model(const std::string& name = "last.fer") const { return made_->path() / name; }
  std::string source() const { return read_model_info(model()).version; }

  std::shared_ptr<Machine> start(const std::string& what, const std::string& name,
                                 const std::string& model_name = "last.fer",
                                 const std::vector<std::string>& environment = {}) {
    auto machine = std::make_shared<Machine>(
        std::vector<std::string>{what, address_, "door", (folder_.path() / name).string(),
                                 model(model_name).string(),
                                 (made_->path() / "tiny.packed").string()},
        folder_.path() / (name + ".out"), environment);
    machines_.push_back(machine);
    return machine;
  }

  /// Whether all serve one version that was learnt.
  static bool agree(const std::vector<std::shared_ptr<Machine>>& machines,
                    const std::string& source) {
    const std::string version = machines.front()->serving();
    if (version.empty() || version == source) return false;
    for (const auto& machine : machines) {
      if (machine->serving() != version) return false;
    }
    return true;
  }

  void publish_model(const std::string& payload) {
    mosquitto* client = mosquitto_new(nullptr, true, nullptr);
    ASSERT_EQ(mosquitto_connect(client, "127.0.0.1", port_, 10), MOSQ_ERR_SUCCESS);
    mosquitto_loop_start(client);
    mosquitto_publish(client, nullptr, "fer/door/model", static_cast<int>(payload.size()),
                      payload.data(), 1, true);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    mosquitto_disconnect(client);
    mosquitto_loop_stop(client, false);
    mosquitto_destroy(client);
  }

  static std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static std::unique_ptr<ScopedFolder> made_;
  const int port_ = free_port();
  const std::string address_ = "mqtt://127.0.0.1:" + std::to_string(port_);
  const ScopedFolder folder_;
  std::vector<std::shared_ptr<Machine>> machines_;
};

std::unique_ptr<ScopedFolder> Exchange::made_;

TEST_F(Exchange, CollectorsFeedOneLearnerAndServeWhatItLearns) {
  const Broker broker(port_);
  const auto service = start("learn", "service");
  const auto one = start("collect", "one"), two = start("collect", "two");
  EXPECT_TRUE(in_a_minute([&] {
    return agree({one, two, service}, source());
  })) << service->text()
      << one->text();
  EXPECT_TRUE(in_a_minute([&] { return service->state()["collectors"] == 2; }));
  Subscriber watcher(port_, "fer/door/#");
  const auto& kept = watcher.until([](const auto& all) { return all.size() >= 6; });
  int serving = 0;
  for (const auto& message : kept) {
    if (!message.topic.ends_with("/serving")) continue;
    ++serving;
    EXPECT_TRUE(Json::parse(message.text).contains("version"));
  }
  EXPECT_GE(serving, 2);
}

TEST_F(Exchange, EvidenceWaitsWhereNoLearnerIsAndReachesItLater) {
  const Broker broker(port_);
  const auto one = start("collect", "one");
  EXPECT_TRUE(in_a_minute([&] { return one->state().value("spooled", 0) >= 1; })) << one->text();
  EXPECT_EQ(one->state()["sent"], 0);
  const auto service = start("learn", "service");
  EXPECT_TRUE(in_a_minute([&] { return one->state().value("sent", 0) >= 1; })) << one->text();
}

TEST_F(Exchange, GoesOnWithoutTheBrokerAndAgreesOnceItIsBack) {
  auto broker = std::make_unique<Broker>(port_);
  const auto service = start("learn", "service");
  const auto one = start("collect", "one"), two = start("collect", "two");
  ASSERT_TRUE(in_a_minute([&] { return agree({one, two, service}, source()); }));
  broker.reset();
  EXPECT_TRUE(in_a_minute([&] { return !one->state().value("connected", true); }));
  EXPECT_TRUE(in_a_minute([&] { return one->state().value("spooled", 0) >= 1; })) << one->text();
  EXPECT_NE(one->serving(), source());
  // One that begins meanwhile serves the source, and takes up what the others have.
  const auto three = start("collect", "three");
  EXPECT_TRUE(in_a_minute([&] { return three->serving() == source(); }));
  broker = std::make_unique<Broker>(port_);
  EXPECT_TRUE(in_a_minute([&] {
    return agree({one, two, three, service}, source());
  })) << three->text();
}

TEST_F(Exchange, ServesWhatItTookUpAfterARestartWithoutABroker) {
  auto broker = std::make_unique<Broker>(port_);
  const auto service = start("learn", "service");
  const auto one = start("collect", "one");
  ASSERT_TRUE(in_a_minute([&] { return agree({one, service}, source()); }));
  service->end(SIGKILL);
  broker.reset();
  one->end(SIGKILL);
  const std::string before = one->serving();
  fs::remove(folder_.path() / "one.out");
  const auto again = start("collect", "one");
  EXPECT_TRUE(in_a_minute([&] { return again->serving() == before; })) << again->text();
}

TEST_F(Exchange, AServiceKilledWhileItPromotesLeavesOneModelForAll) {
  const Broker broker(port_);
  const auto one = start("collect", "one"), two = start("collect", "two");
  const fs::path served = folder_.path() / "service" / "served.fer";
  std::shared_ptr<Machine> service;
  for (int kills = 0; kills < 3; ++kills) {
    service = start("learn", "service");
    const std::string before = fs::exists(served) ? read_model_info(served).version : source();
    ASSERT_TRUE(in_a_minute(
        [&] { return fs::exists(served) && read_model_info(served).version != before; }));
    service->end(SIGKILL);  // What the file has may not have been published yet.
  }
  service = start("learn", "service");
  EXPECT_TRUE(in_a_minute([&] {
    return agree({one, two, service}, source());
  })) << service->text()
      << one->text();
}

TEST_F(Exchange, AnotherServiceTakesOverWhereOneDies) {
  const Broker broker(port_);
  const auto first = start("learn", "first");
  EXPECT_TRUE(in_a_minute([&] { return first->state().value("learns", false); }));
  const auto second = start("learn", "second");
  EXPECT_TRUE(in_a_minute([&] { return second->text().find("stands by") != std::string::npos; }))
      << second->text();
  EXPECT_FALSE(second->state().value("learns", false));
  first->end(SIGKILL);
  EXPECT_TRUE(in_a_minute([&] { return second->state().value("learns", false); }));
  const auto one = start("collect", "one");
  EXPECT_TRUE(in_a_minute([&] { return agree({one, second}, source()); })) << second->text();
}

TEST_F(Exchange, RefusesACollectorOfAnotherLowerHalf) {
  const Broker broker(port_);
  const auto service = start("learn", "service");
  const auto stranger = start("collect", "stranger", "other.fer");
  EXPECT_TRUE(in_a_minute([&] {
    return service->state().value("refused", Json::object()).value("lower-half", 0) >= 1;
  })) << service->text();
  EXPECT_THAT(service->text(), HasSubstr("let that machine begin from the model of this slot"));
  EXPECT_EQ(service->state()["received"], 0);
  const auto one = start("collect", "one");
  EXPECT_TRUE(in_a_minute([&] { return agree({one, service}, source()); }));
  // Nor does it take up what the others serve.
  EXPECT_TRUE(in_a_minute([&] {
    return stranger->state().value("refused", Json::object()).value("parent", 0) >= 1;
  })) << stranger->text();
  EXPECT_EQ(stranger->serving(), read_model_info(model("other.fer")).version);
}

TEST_F(Exchange, RefusesModelsThatAreCutOrForgedAndServesOn) {
  const Broker broker(port_);
  const auto one = start("collect", "one");
  ASSERT_TRUE(in_a_minute([&] { return one->state().value("connected", false); }));
  ModelMessage message{"door", "abc", source(), "nobody", "", bytes_of(model())};
  const auto refused = [&](const std::string& why) {
    return in_a_minute(
        [&] { return one->state().value("refused", Json::object()).value(why, 0) >= 1; });
  };
  const std::string whole = encode_model(message);
  publish_model(whole.substr(0, whole.size() / 2));
  EXPECT_TRUE(refused("broken")) << one->text();
  std::string forged = whole;
  forged[forged.size() / 2] ^= 1;
  publish_model(forged);
  EXPECT_TRUE(refused("hash")) << one->text();
  message.parent = "123456789abc";
  publish_model(encode_model(message));
  EXPECT_TRUE(refused("parent")) << one->text();
  message.slot = "gate";
  publish_model(encode_model(message));
  EXPECT_TRUE(refused("slot")) << one->text();
  publish_model(std::string(kMaxModelBytes + 1, 'x'));
  EXPECT_TRUE(refused("too-large")) << one->text();
  EXPECT_EQ(one->serving(), source());
  // The service puts its own in the place of what is none.
  const auto service = start("learn", "service");
  EXPECT_TRUE(in_a_minute([&] { return agree({one, service}, source()); })) << service->text();
}

#ifdef FAKETIME
TEST_F(Exchange, ClocksApartByAnHourChangeNothing) {
  const Broker broker(port_);
  const auto clock = [](const std::string& offset) {
    return std::vector<std::string>{"LD_PRELOAD=" FAKETIME, "FAKETIME=" + offset,
                                    "DONT_FAKE_MONOTONIC=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"};
  };
  const auto service = start("learn", "service");
  const auto early = start("collect", "early", "last.fer", clock("-1h"));
  const auto late = start("collect", "late", "last.fer", clock("+1h"));
  EXPECT_TRUE(in_a_minute([&] {
    return agree({early, late, service}, source());
  })) << service->text()
      << early->text();
  EXPECT_TRUE(in_a_minute([&] { return service->state()["collectors"] == 2; }));
}
#endif

}  // namespace
}  // namespace fer
