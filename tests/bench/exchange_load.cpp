// What many collectors ask of a broker: as many connections, each of which sends real evidence at
// a collector's rate.
//
//   mosquitto -p 1899 &
//   build/tests/bench/exchange-load --port 1899 --data faces.packed --collectors 1000
//       --per-minute 30 --seconds 60 --pid $(pidof mosquitto)
//
// Prints one line of JSON: messages and bytes a second, the time to the broker's acknowledgement,
// and the share of one core that the processes took.
#include <mosquitto.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "exchange/evidence_message.h"
#include "exchange/exchange_topics.h"
#include "learn/data/packed_dataset.h"
#include "model/find_model.h"
#include "stream/evidence_collector.h"

namespace fer {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Options {
  int port = 1883, collectors = 1000, threads = 4;
  double per_minute = 30, seconds = 30;
  std::filesystem::path model, canary, data;
  std::string slot = "door";
  std::vector<int> pids;
};

/// Evidence of faces that a camera might see, made as a collector makes it.
std::vector<Evidence> real_evidence(const Options& o, const LowerHalf& half) {
  OnlineConfig config;
  EvidenceCollector collector(o.model, half, config);
  const PackedDataset data(o.data);
  std::vector<FaceSample> faces;
  for (std::size_t row = 0; row < std::min<std::size_t>(data.size(), 400); ++row) {
    FaceSample face;
    const auto crop = data.crop(row);
    face.crop.assign(crop.begin(), crop.end());
    face.source = "cam";
    face.track = static_cast<std::int64_t>(row);
    face.time_ns = static_cast<std::int64_t>(row) * 2'000'000'000;
    faces.push_back(std::move(face));
  }
  std::vector<Evidence> evidence = collector.observe(std::move(faces));
  if (evidence.empty()) throw std::runtime_error("no face of the data passes the gates");
  return evidence;
}

struct Sums {
  std::mutex mutex;
  std::vector<double> latencies;
  std::atomic<std::uint64_t> sent = 0, acknowledged = 0, bytes = 0, lost = 0;
};

/// One connection.
struct Client {
  mosquitto* handle = nullptr;
  Sums* sums = nullptr;
  EvidenceMessage message;
  Clock::time_point due{};
  std::map<int, Clock::time_point> on_the_way;

  void publish(const std::string& topic, const std::vector<Evidence>& evidence, std::size_t which) {
    message.evidence = evidence[which % evidence.size()];
    const std::string bytes = encode_evidence(message);
    ++message.number;
    int id = 0;
    const auto now = Clock::now();
    if (mosquitto_publish(handle, &id, topic.c_str(), static_cast<int>(bytes.size()), bytes.data(),
                          1, false) != MOSQ_ERR_SUCCESS) {
      ++sums->lost;
      return;
    }
    on_the_way[id] = now;
    ++sums->sent;
    sums->bytes += bytes.size();
  }
  void acknowledged(int id) {
    const auto found = on_the_way.find(id);
    if (found == on_the_way.end()) return;
    ++sums->acknowledged;
    const std::lock_guard lock(sums->mutex);
    sums->latencies.push_back(Seconds(Clock::now() - found->second).count());
    on_the_way.erase(found);
  }
};

std::unique_ptr<Client> connect(const Options& o, int number, const std::string& hash, Sums& sums) {
  auto client = std::make_unique<Client>();
  client->sums = &sums;
  client->message.collector = "load-" + std::to_string(number);
  client->message.session = std::to_string(getpid());
  client->message.lower_half = hash;
  client->handle = mosquitto_new(client->message.collector.c_str(), true, client.get());
  mosquitto_int_option(client->handle, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_publish_callback_set(client->handle, [](mosquitto*, void* self, int id) {
    static_cast<Client*>(self)->acknowledged(id);
  });
  if (mosquitto_connect(client->handle, "127.0.0.1", o.port, 60) != MOSQ_ERR_SUCCESS)
    throw std::runtime_error("no broker at port " + std::to_string(o.port));
  return client;
}

/// Serves some of the connections until the end.
void serve(const Options& o, std::vector<std::unique_ptr<Client>>& clients,
           const std::string& topic, const std::vector<Evidence>& evidence, Clock::time_point end) {
  const auto interval = std::chrono::duration_cast<Clock::duration>(Seconds(60 / o.per_minute));
  for (std::size_t i = 0; i < clients.size(); ++i)
    clients[i]->due =
        Clock::now() + interval * static_cast<long>(i) / static_cast<long>(clients.size());
  std::vector<pollfd> sockets(clients.size());
  auto misc = Clock::now();
  while (Clock::now() < end) {
    const auto now = Clock::now();
    for (std::size_t i = 0; i < clients.size(); ++i) {
      Client& client = *clients[i];
      if (now >= client.due) {
        client.due += interval;
        client.publish(topic, evidence, client.message.number * 31 + i);
      }
      const bool writes = mosquitto_want_write(client.handle);
      sockets[i] = {mosquitto_socket(client.handle),
                    static_cast<short>(POLLIN | (writes ? POLLOUT : 0)), 0};
    }
    poll(sockets.data(), sockets.size(), 2);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (sockets[i].revents & POLLIN) mosquitto_loop_read(clients[i]->handle, 10);
      if (sockets[i].revents & POLLOUT) mosquitto_loop_write(clients[i]->handle, 10);
    }
    if (now - misc < std::chrono::seconds(1)) continue;
    misc = now;
    for (auto& client : clients) mosquitto_loop_misc(client->handle);
  }
}

/// Seconds of the processor's time that a process took so far.
double cpu_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(text.substr(name_end + 2));
  std::string word;
  double ticks = 0;
  for (int field = 3; field <= 15 && rest >> word; ++field)
    if (field >= 14) ticks += std::stod(word);
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

int run(const Options& o) {
  const LowerHalf half = lower_half_of(o.model, o.canary, -1);
  const std::vector<Evidence> evidence = real_evidence(o, half);
  const std::string topic = ExchangeTopics("fer", o.slot).evidence;
  Sums sums;
  std::vector<std::vector<std::unique_ptr<Client>>> shares(static_cast<std::size_t>(o.threads));
  for (int i = 0; i < o.collectors; ++i)
    shares[static_cast<std::size_t>(i % o.threads)].push_back(connect(o, i, half.hash, sums));
  std::vector<double> cpu;
  for (const int pid : o.pids) cpu.push_back(cpu_of(pid));
  const auto begun = Clock::now();
  const auto end = begun + std::chrono::duration_cast<Clock::duration>(Seconds(o.seconds));
  std::vector<std::thread> threads;
  for (auto& share : shares) threads.emplace_back([&] { serve(o, share, topic, evidence, end); });
  for (std::thread& thread : threads) thread.join();
  const double took = Seconds(Clock::now() - begun).count();
  nlohmann::json shares_of;
  for (std::size_t i = 0; i < o.pids.size(); ++i)
    shares_of[std::to_string(o.pids[i])] = (cpu_of(o.pids[i]) - cpu[i]) / took;
  const auto sent = static_cast<double>(sums.sent);
  std::cout << nlohmann::json{{"collectors", o.collectors},
                              {"pieces", evidence.size()},
                              {"messages_per_s", sent / took},
                              {"bytes_per_message", static_cast<double>(sums.bytes) / sent},
                              {"bytes_per_s", static_cast<double>(sums.bytes) / took},
                              {"acknowledged_share", static_cast<double>(sums.acknowledged) / sent},
                              {"lost", sums.lost.load()},
                              {"p50_ms", 1e3 * quantile(sums.latencies, 0.5)},
                              {"p99_ms", 1e3 * quantile(sums.latencies, 0.99)},
                              {"cpu_share", shares_of}}
                   .dump(2)
            << std::endl;
  for (auto& share : shares)
    for (auto& client : share) mosquitto_destroy(client->handle);
  return 0;
}

}  // namespace
}  // namespace fer

int main(int argc, char** argv) {
  fer::Options o;
  CLI::App app("Loads a broker as many collectors would.");
  app.add_option("--port", o.port)->capture_default_str();
  app.add_option("--collectors", o.collectors)->capture_default_str()->check(CLI::Range(1, 20000));
  app.add_option("--threads", o.threads)->capture_default_str()->check(CLI::Range(1, 64));
  app.add_option("--per-minute", o.per_minute, "Of each collector")->capture_default_str();
  app.add_option("--seconds", o.seconds)->capture_default_str();
  app.add_option("--data", o.data, "A packed dataset of faces")->required();
  app.add_option("--slot", o.slot)->capture_default_str();
  app.add_option("--pid", o.pids, "Processes whose processor time is told; may be given again");
  CLI11_PARSE(app, argc, argv);
  try {
    o.model = fer::require_expression_model();
    o.canary = std::filesystem::path(o.model).replace_extension(".canary");
    mosquitto_lib_init();
    return fer::run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exchange-load: %s\n", error.what());
    return 1;
  }
}
