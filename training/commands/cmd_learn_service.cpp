#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "commands/exchange_commands.h"
#include "exchange/exchange_learner.h"
#include "program/finite_range.h"
#include "terminal/interrupt.h"
#include "terminal/output_files.h"

namespace fer {
namespace {

struct Options {
  ExchangeBroker broker;
  std::vector<std::string> slots;
  std::filesystem::path state, model, replay, canary;
  std::string name;
  double max_cpu = 1;
  int threads = 1;
  OnlineConfig learning;
};

struct NamedSlot {
  std::string name;
  std::filesystem::path model;  ///< Empty: --model, or the one that ships.
};

/// Of NAME and NAME=MODEL. Throws std::runtime_error with a sentence.
std::vector<NamedSlot> slots_of(const Options& o) {
  std::vector<NamedSlot> slots;
  std::set<std::string> names;
  for (const std::string& text : o.slots) {
    const std::size_t equals = text.find('=');
    NamedSlot slot{text.substr(0, equals), o.model};
    if (equals != std::string::npos) slot.model = text.substr(equals + 1);
    if (slot.name.empty() || slot.name == "." || slot.name == ".." ||
        slot.name.find_first_of("/+#") != std::string::npos) {
      throw std::runtime_error("--slot " + text +
                               ": expected NAME or NAME=MODEL, and a name without / + #");
    }
    if (!names.insert(slot.name).second)
      throw std::runtime_error("--slot " + slot.name + " is named twice");
    slots.push_back(slot);
  }
  return slots;
}

ExchangeLearner::Settings settings_of(const Options& o, const NamedSlot& slot) {
  ExchangeLearner::Settings settings;
  settings.broker = o.broker;
  settings.slot = slot.name;
  settings.service = o.name;
  settings.learner.source_model = slot.model;
  settings.learner.replay = o.replay;
  settings.learner.canary = o.canary;
  settings.learner.checkpoint_dir = o.state / slot.name;
  settings.learner.learning = o.learning;
  settings.learner.max_cpu = o.max_cpu;
  settings.learner.threads = o.threads;
  settings.learner.idle_priority = false;
  return settings;
}

void run(const Options& o) {
  const std::vector<NamedSlot> slots = slots_of(o);
  require_writable_folder(o.state);
  std::mutex mutex;
  const auto say = [&](bool, const std::string& sentence) {
    const std::lock_guard lock(mutex);
    std::printf("%s\n", sentence.c_str());
    std::fflush(stdout);
  };
  std::vector<std::unique_ptr<ExchangeLearner>> learners;
  for (const NamedSlot& slot : slots)
    learners.push_back(std::make_unique<ExchangeLearner>(settings_of(o, slot), say));
  say(true, "learning for " + std::to_string(slots.size()) +
                (slots.size() == 1 ? " slot" : " slots") + "; Ctrl-C saves and ends");
  while (!stop_requested) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const ExchangeLearnerStats stats = learners[i]->stats();
    say(true, "slot " + slots[i].name + ": " + std::to_string(stats.received) +
                  " pieces of evidence of " + std::to_string(stats.collectors.size()) +
                  " collectors, " + std::to_string(stats.learner.promotions) +
                  " promotions; saved");
  }
}

void add_connection(CLI::App& c, Options& o) {
  c.add_option(
       "--broker", o.broker.address,
       "mqtt[s]://[user:password@]host[:port][/topic-base] of an MQTT 5 broker; the base is "
       "fer where none is given")
      ->required();
  c.add_option("--ca-file", o.broker.ca_file,
               "With mqtts://: certificates to trust; else those that the system trusts");
  c.add_option("--cert-file", o.broker.certificate,
               "With mqtts://: our own certificate, where the broker asks for one");
  c.add_option("--key-file", o.broker.key, "Its key; else in the same file");
  c.add_option("--name", o.name,
               "This service's name among those of its slots; else the host's, and digits that the "
               "state keeps");
}

void add_learning(CLI::App& c, Options& o) {
  c.add_option("--model", o.model,
               "The model that slots begin from which name none; else the one that ships")
      ->check(CLI::ExistingFile);
  c.add_option("--replay", o.replay,
               "Labelled faces against forgetting; else those beside the model")
      ->check(CLI::ExistingFile);
  c.add_option("--canary", o.canary, "Labelled faces that judge; else those beside the model")
      ->check(CLI::ExistingFile);
  c.add_option("--min-memory", o.learning.min_memory,
               "Pieces of evidence that are remembered before the first step")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  c.add_option("--canary-interval", o.learning.canary_interval, "Steps between two decisions")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  c.add_option("--max-sample-age", o.learning.max_sample_age,
               "Seconds after which remembered evidence goes; 0: never")
      ->check(finite_range(0, 1e9))
      ->capture_default_str();
  c.add_option("--max-cpu", o.max_cpu, "Share of one core a slot may take")
      ->check(finite_range(0.01, 16))
      ->capture_default_str();
  c.add_option("--threads", o.threads, "Threads that compute a step")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
}

}  // namespace

void add_learn_service(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "learn-service",
      "Learn from the evidence of many machines that a broker brings (ferlearn role=collect), and "
      "publish what may serve.");
  c->add_option(
       "--slot", o->slots,
       "NAME, or NAME=MODEL, of a model slot; may be given again. Of several services with "
       "the same slot one learns, the others stand by")
      ->required();
  c->add_option("--state", o->state,
                "Folder for what is learnt, a folder a slot in it; learning goes on from there")
      ->required();
  add_connection(*c, *o);
  add_learning(*c, *o);
  c->footer("A password in --broker is seen by all who list processes: take certificates.");
  c->callback([o] { run(*o); });
}

}  // namespace fer
