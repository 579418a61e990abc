#include "exchange/exchange_learner.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "exchange/collector_name.h"
#include "exchange/evidence_queue.h"
#include "exchange/learner_claim.h"
#include "exchange/published_model.h"
#include "exchange/refused_message.h"
#include "model/find_model.h"
#include "stream/lower_half.h"
#include "stream/online_learner.h"
#include "util/first_line.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTurn(20);
constexpr std::chrono::seconds kStatsInterval(10);
/// Evidence that waits for the learner, and messages that wait to be looked at.
constexpr std::size_t kQueue = 512, kInbox = 1024;
/// Evidence that the learner is given ahead.
constexpr std::size_t kAhead = 64;
/// Messages that are looked at between two looks at all else.
constexpr std::size_t kAtOnce = 64;
/// Collectors that the statistics name.
constexpr std::size_t kNamed = 100;
constexpr std::int64_t kNumber = -1;  ///< Of messages; nobody asks what became of one.

struct Arrived {
  std::string payload;
  std::uint64_t connection = 0;  ///< By which it came.
};

Learner::Settings checked(Learner::Settings settings) {
  if (settings.checkpoint_dir.empty())
    throw std::runtime_error("a service that learns needs a folder for what was learnt");
  if (settings.source_model.empty()) settings.source_model = require_expression_model();
  return settings;
}

nlohmann::json json_of(const ExchangeLearnerStats& s) {
  nlohmann::json collectors = nlohmann::json::object();
  for (const auto& [name, sender] : s.collectors) {
    if (collectors.size() == kNamed) break;
    collectors[name] = {{"received", sender.received},
                        {"duplicates", sender.duplicates},
                        {"missing", sender.missing}};
  }
  return {{"service", s.owner},       {"version", s.published_version},
          {"received", s.received},   {"dropped", s.dropped},
          {"refused", s.refused},     {"thinned", s.thinned_by_class},
          {"collectors", collectors}, {"collectors_known", s.collectors.size()},
          {"learner", s.learner}};
}

}  // namespace

class ExchangeLearner::Impl {
 public:
  Impl(const Settings& settings, Say say)
      : slot_(settings.slot),
        say_(std::move(say)),
        learner_settings_(checked(settings.learner)),
        lower_half_(lower_half_of(
            learner_settings_.source_model,
            OnlineLearner::Labelled{learner_settings_.replay, learner_settings_.canary}
                .or_beside(learner_settings_.source_model)
                .replay,
            learner_settings_.learning.frozen_blocks)),
        learner_(Learner::get("", learner_settings_)),
        service_(settings.service.empty() ? collector_name(learner_settings_.checkpoint_dir)
                                          : settings.service),
        connection_(exchange_connection(settings.broker, "fer-learn-" + service_ + "-" + slot_)),
        topics_(connection_.address.path, slot_),
        claim_(service_),
        published_(slot_, service_, learner_settings_.checkpoint_dir / "served.fer",
                   learner_->info().version),
        queue_(kQueue, lower_half_.classes),
        client_(with_handlers(connection_)) {
    subscription_ = learner_->subscribe(listener());
    client_.subscribe(topics_.learner);
    client_.subscribe(topics_.model);
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
    subscription_ = {};
    learner_.reset();  // Saves.
  }

  ExchangeLearnerStats stats() const {
    ExchangeLearnerStats s;
    {
      const std::lock_guard lock(mutex_);
      s = stats_;
    }
    s.connected = client_.connected();
    s.learner = learner_->stats();
    return s;
  }

  Learner& learner() { return *learner_; }

 private:
  MqttConnection with_handlers(MqttConnection connection) {
    connection.availability = topics_.learner;
    connection.online.clear();
    connection.offline = claim_.release_text();
    connection.on_message = [this](MqttMessage message) { arrived(std::move(message)); };
    return connection;
  }

  Learner::Listener listener() {
    Learner::Listener listener;
    listener.on_updated = [this](const std::string& version, double score) {
      decided_ = true;
      say(true, "version " + version + " serves, " + std::to_string(100 * score).substr(0, 5) +
                    " % macro recall on the canary");
    };
    listener.on_rolled_back = [this](const std::string& reason) {
      decided_ = true;
      say(true, "rolled back: " + reason);
    };
    listener.on_warning = [this](const std::string& warning) { say(true, warning); };
    return listener;
  }

  void say(bool important, const std::string& sentence) {
    say_(important, "slot " + slot_ + ": " + sentence);
  }

  // --- On the client's thread.

  void arrived(MqttMessage message) {
    const std::uint64_t connection = client_.reconnects();
    const std::lock_guard lock(mutex_);
    if (message.topic == topics_.evidence) {
      if (evidence_.size() >= kInbox)
        ++stats_.dropped;
      else
        evidence_.push_back(std::move(message.payload));
    } else if (message.topic == topics_.model) {
      model_ = Arrived{std::move(message.payload), connection};
    } else if (message.topic == topics_.learner && claims_.size() < kInbox) {
      claims_.push_back({std::move(message.payload), connection});
    }
    wake_.notify_all();
  }

  // --- On our own.

  void run() {
    pthread_setname_np(pthread_self(), "fer-slot");
    while (!stopping()) {
      attempt([&] { client_.wait_ready(milliseconds(0)); });
      client_.take_acknowledged();
      client_.take_undelivered();
      follow_connection();
      attempt([&] { hear(); });
      attempt([&] { claim(); });
      const bool more = look_at_evidence();
      feed();
      attempt([&] { publish(); });
      attempt([&] { tell_stats(); });
      std::unique_lock lock(mutex_);
      if (!more) wake_.wait_for(lock, kTurn, [&] { return stop_; });
    }
    client_.close();
  }

  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stop_;
  }

  /// A fault is told once, until the broker is there again.
  template <typename Step>
  void attempt(const Step& step) {
    try {
      step();
    } catch (const std::exception& failed) {
      const std::string what = first_line(failed.what());
      if (said_ != what) say(true, what);
      said_ = what;
    }
  }

  void follow_connection() {
    const bool connected = client_.connected();
    const std::uint64_t connection = client_.reconnects();
    if (connected && (!was_connected_ || connection != connected_by_)) {
      said_.clear();
      claim_.connected(Clock::now());
      published_.connected(Clock::now());
      client_.unsubscribe(topics_.shared_evidence);
      takes_evidence_ = false;
    }
    if (!connected) claim_.lost();
    was_connected_ = connected;
    connected_by_ = connection;
  }

  void hear() {
    std::deque<Arrived> claims;
    std::optional<Arrived> model;
    {
      const std::lock_guard lock(mutex_);
      claims.swap(claims_);
      model.swap(model_);
    }
    // What an earlier connection brought may not be true any more.
    for (const Arrived& one : claims) {
      if (one.connection == connected_by_) claim_.heard(one.payload);
    }
    if (!model || model->connection != connected_by_) return;
    try {
      published_.heard(model->payload);
    } catch (const RefusedMessage& refused) {
      count(refused.fault);
      say(true, "the broker keeps a model that is none of ours: " + std::string(refused.what()));
    }
  }

  void claim() {
    const bool held = held_;
    held_ = claim_.holds();
    if (held != held_) {
      say(true, held_ ? "this service learns for the slot"
                      : "this service learns no more for the slot" +
                            (claim_.owner().empty() ? "" : ": " + claim_.owner() + " does"));
    } else if (!held_ && claim_.owner() != told_owner_ && !claim_.owner().empty()) {
      say(false, claim_.owner() + " learns for the slot; this service stands by");
    }
    told_owner_ = claim_.owner();
    if (claim_.wants_to_claim(Clock::now()))
      client_.publish({topics_.learner, claim_.claim_text(), 1, true}, kNumber);
    const bool takes = held_ && queue_.size() < (takes_evidence_ ? kQueue * 3 / 4 : kQueue / 4);
    if (takes != takes_evidence_) {
      if (takes)
        client_.subscribe(topics_.shared_evidence);
      else
        client_.unsubscribe(topics_.shared_evidence);
      takes_evidence_ = takes;
    }
    const std::lock_guard lock(mutex_);
    stats_.learns = held_;
    stats_.owner = claim_.owner();
  }

  /// Whether there is more of it.
  bool look_at_evidence() {
    std::deque<std::string> messages;
    bool more = false;
    {
      const std::lock_guard lock(mutex_);
      while (!evidence_.empty() && messages.size() < kAtOnce) {
        messages.push_back(std::move(evidence_.front()));
        evidence_.pop_front();
      }
      more = !evidence_.empty();
    }
    for (const std::string& message : messages) {
      try {
        EvidenceMessage evidence = decode_evidence(message, lower_half_);
        if (!senders_.take(evidence.collector, evidence.session, evidence.number)) continue;
        queue_.push(std::move(evidence));
        const std::lock_guard lock(mutex_);
        ++stats_.received;
      } catch (const RefusedMessage& refused) {
        count(refused.fault);
        // One that has the wrong model sends a message every few seconds.
        if (refused_said_ != refused.what()) say(true, refused.what());
        refused_said_ = refused.what();
      }
    }
    return more;
  }

  void feed() {
    if (queue_.size() == 0) return;
    for (std::size_t queued = learner_->stats().queued; queued < kAhead; ++queued) {
      auto next = queue_.pop();
      if (!next) return;
      // The collector's own name for a stream is unique to it.
      learner_->offer_evidence(std::move(next->evidence), next->age_s);
    }
  }

  void publish() {
    if (!claim_.holds()) return;
    const auto message = published_.due(learner_->stats().serving_version, decided_, Clock::now());
    if (!message) return;
    client_.publish({topics_.model, *message, 1, true}, kNumber);
    const std::lock_guard lock(mutex_);
    ++stats_.published;
  }

  void tell_stats() {
    const auto now = Clock::now();
    {
      const std::lock_guard lock(mutex_);
      stats_.published_version = published_.version();
      stats_.collectors = senders_.all();
      const auto& labels = learner_->info().labels;
      for (std::size_t k = 0; k < labels.size(); ++k)
        stats_.thinned_by_class[labels[k]] = queue_.thinned()[k];
    }
    if (!claim_.holds() || now < next_stats_) return;
    next_stats_ = now + kStatsInterval;
    const std::string text =
        json_of(stats()).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    client_.publish({topics_.learner_stats, text, 1, true}, kNumber);
  }

  void count(MessageFault fault) {
    const std::lock_guard lock(mutex_);
    ++stats_.refused[name_of(fault)];
  }

  const std::string slot_;
  const Say say_;
  const Learner::Settings learner_settings_;
  const LowerHalf lower_half_;
  std::shared_ptr<Learner> learner_;
  const std::string service_;
  const MqttConnection connection_;
  const ExchangeTopics topics_;
  std::atomic<bool> decided_ = false;  ///< On what serves, since this program began.

  // Of our thread.
  LearnerClaim claim_;
  PublishedModel published_;
  EvidenceQueue queue_;
  Senders senders_;
  std::string said_, refused_said_, told_owner_;
  bool was_connected_ = false, held_ = false, takes_evidence_ = false;
  std::uint64_t connected_by_ = 0;
  Clock::time_point next_stats_{};

  mutable std::mutex mutex_;  ///< Held for copies, never for work; guards what follows.
  std::condition_variable wake_;
  bool stop_ = false;
  std::deque<std::string> evidence_;
  std::deque<Arrived> claims_;
  std::optional<Arrived> model_;
  ExchangeLearnerStats stats_;

  MqttClient client_;  ///< After what its messages go to.
  Learner::Subscription subscription_;
  std::thread thread_;
};

ExchangeLearner::ExchangeLearner(const Settings& settings, Say say)
    : impl_(std::make_unique<Impl>(settings, std::move(say))) {}
ExchangeLearner::~ExchangeLearner() = default;

ExchangeLearnerStats ExchangeLearner::stats() const {
  return impl_->stats();
}
void ExchangeLearner::save() {
  impl_->learner().save();
}
void ExchangeLearner::rollback() {
  impl_->learner().rollback();
}
void ExchangeLearner::reset() {
  impl_->learner().reset();
}

}  // namespace fer
