// One machine of a slot, as a process that tests start, watch and kill: a collector that sees drawn
// faces, or the service that learns. It prints a line of JSON whenever something changes.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "exchange/collector.h"
#include "exchange/exchange_learner.h"
#include "model/stored_model.h"
#include "unit/stream/tiny_learner.h"

namespace fer::test {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

volatile std::sig_atomic_t stopped = 0;

void say(const Json& line) {
  std::cout << line.dump() << std::endl;
}

Learner::Settings learner_settings(char** arguments) {
  Learner::Settings settings;
  settings.checkpoint_dir = arguments[0];
  settings.source_model = arguments[1];
  settings.replay = settings.canary = arguments[2];
  settings.learning = tiny_online_config();
  settings.learning.store = SampleStore::kLatents;
  settings.learning.strength = 0.2;
  settings.learning.reuse = 4;
  settings.learning.canary_interval = 60;  // Others have time to agree between two promotions.
  settings.max_cpu = 16;
  settings.idle_priority = false;
  return settings;
}

/// Trains the model that a test's slot begins from, and one of another lower half.
int make(const std::filesystem::path& folder) {
  StoredModel model = read_stored_model(train_tiny_model(folder));
  for (float& weight : model.weights.begin()->second.values) weight *= 1.01f;
  for (auto& [name, tensor] : model.weights) {
    if (name.starts_with("stem"))
      for (float& weight : tensor.values) weight *= 1.01f;
  }
  write_stored_model(folder / "other.fer", model);
  return 0;
}

int collect(const std::string& broker, const std::string& slot, char** arguments) {
  Collector::Settings settings;
  settings.broker.address = broker;
  settings.slot = slot;
  settings.learner = learner_settings(arguments);
  settings.max_per_minute = 6000;
  if (const char* ca_file = std::getenv("CA_FILE")) settings.broker.ca_file = ca_file;
  const auto collector = Collector::get(settings);
  Learner::Listener listener;
  listener.on_warning = [](const std::string& warning) { say({{"warning", warning}}); };
  const auto subscription = collector->subscribe(listener);
  Random random(static_cast<std::uint64_t>(getpid()));
  Json told;
  for (std::int64_t i = 0; stopped == 0; ++i) {
    collector->offer(stream_face(static_cast<int>(i % 3), random, i, i * 2'000'000'000));
    const CollectorStats stats = collector->stats();
    const Json now{{"serving", collector->learner_stats().serving_version},
                   {"connected", stats.connected},
                   {"sent", stats.sent / 20},
                   {"spooled", stats.spooled / 20},
                   {"models", stats.models},
                   {"refused", stats.refused_models}};
    if (now != told) say(now);
    told = now;
    std::this_thread::sleep_for(milliseconds(40));
  }
  return 0;
}

int learn(const std::string& broker, const std::string& slot, char** arguments) {
  ExchangeLearner::Settings settings;
  settings.broker.address = broker;
  settings.slot = slot;
  settings.learner = learner_settings(arguments);
  if (const char* ca_file = std::getenv("CA_FILE")) settings.broker.ca_file = ca_file;
  const ExchangeLearner learner(settings, [](bool, const std::string& sentence) {
    say({{"said", sentence}});
  });
  Json told;
  while (stopped == 0) {
    const ExchangeLearnerStats stats = learner.stats();
    const Json now{{"serving", stats.learner.serving_version},
                   {"source", stats.learner.source_version},
                   {"connected", stats.connected},
                   {"learns", stats.learns},
                   {"received", stats.received / 20},
                   {"collectors", stats.collectors.size()},
                   {"kept", stats.published_version},
                   {"refused", stats.refused}};
    if (now != told) say(now);
    told = now;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return 0;
}

int run(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "make" && argc == 3) return make(argv[2]);
  if (argc != 7 || (what != "collect" && what != "learn")) {
    std::fprintf(stderr, "make FOLDER | collect|learn BROKER SLOT STATE MODEL LABELLED\n");
    return 2;
  }
  std::signal(SIGTERM, [](int) { stopped = 1; });
  try {
    return (what == "learn" ? learn : collect)(argv[2], argv[3], argv + 4);
  } catch (const std::exception& error) {
    say({{"error", error.what()}});
    return 1;
  }
}

}  // namespace
}  // namespace fer::test

int main(int argc, char** argv) {
  return fer::test::run(argc, argv);
}
