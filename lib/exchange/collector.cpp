#include "exchange/collector.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "exchange/collector_name.h"
#include "exchange/evidence_outbox.h"
#include "exchange/model_inbox.h"
#include "exchange/model_message.h"
#include "model/find_model.h"
#include "model/slot.h"
#include "model/stored_model.h"
#include "stream/cpu_budget.h"
#include "stream/evidence_collector.h"
#include "stream/learner_listeners.h"
#include "stream/learner_queue.h"
#include "stream/online_learner.h"
#include "stream/thread_time.h"
#include "util/first_line.h"
#include "util/folder_lock.h"
#include "util/make_folder.h"
#include "util/shared_by_name.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using std::chrono::milliseconds;

constexpr milliseconds kTurn(50);
/// Faces that are looked at together.
constexpr std::size_t kPortion = 32;
/// For messages that are not evidence; the spool's numbers are above 0.
constexpr std::int64_t kStatus = -1;

Collector::Settings checked(Collector::Settings settings) {
  settings.learner.learning.check();
  if (settings.learner.checkpoint_dir.empty()) {
    throw std::runtime_error(
        "a collector needs a folder for what waits for the broker: set checkpoint-dir");
  }
  if (settings.max_per_minute < 1 || settings.spool_bytes < kMaxEvidenceBytes) {
    throw std::runtime_error(
        "expected at least 1 piece of evidence a minute and a spool of at least 1 MiB");
  }
  const fs::path& folder = settings.learner.checkpoint_dir;
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) {
    make_folder(folder);
    fs::permissions(folder, fs::perms::owner_all, ignored);
  }
  return settings;
}

}  // namespace

class Collector::Impl {
 public:
  explicit Impl(const Settings& settings)
      : settings_(checked(settings)),
        lock_(settings_.learner.checkpoint_dir, "collector", FolderLock::Children::kNoHold),
        name_(collector_name(settings_.learner.checkpoint_dir)),
        slot_(ModelSlot::get(settings_.slot)),
        source_path_(find_source()),
        labelled_(
            OnlineLearner::Labelled{settings_.learner.replay, settings_.learner.canary}.or_beside(
                source_path_)),
        info_(read_model_info(source_path_)),
        lower_half_(lower_half_of(source_path_, labelled_.canary,
                                  settings_.learner.learning.frozen_blocks)),
        max_cpu_(settings_.learner.max_cpu),
        queue_(settings_.learner.queue),
        connection_(exchange_connection(settings_.broker, "fer-collect-" + name_)),
        topics_(connection_.address.path, settings_.slot),
        outbox_(outbox_settings()),
        inbox_(inbox_settings()),
        client_(with_handlers(connection_)) {
    if (const auto current = slot_->current(); !current)
      slot_->serve(std::make_shared<const StoredModel>(read_stored_model(source_path_)));
    client_.subscribe(topics_.model);
    work_ = std::thread([this] { work(); });
    exchange_ = std::thread([this] { exchange(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    // The last evidence is to be kept, and whoever ends this waits for it.
    const sched_param none{};
    pthread_setschedparam(work_.native_handle(), SCHED_OTHER, &none);
    work_.join();
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_all();
    exchange_.join();
  }

  const ModelInfo& info() const { return info_; }

  bool offer(FaceSample face) noexcept {
    if (face.crop.size() != crop_bytes(info_.network)) return false;
    {
      const std::lock_guard lock(mutex_);
      ++offered_;
      if (paused_ || !works_ || !queue_.push_face(std::move(face))) {
        ++refused_;
        return false;
      }
    }
    wake_.notify_all();
    return true;
  }

  void end_of(const std::string& source) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_end(source);
    }
    wake_.notify_all();
  }

  void pause(bool paused) {
    const std::lock_guard lock(mutex_);
    paused_ = paused;
  }

  void set_max_cpu(double max_cpu) { max_cpu_ = std::clamp(max_cpu, 1e-3, 16.0); }

  CollectorStats stats() const {
    const EvidenceOutbox::Counts out = outbox_.counts();
    const ModelInbox::Counts in = inbox_.counts();
    CollectorStats s;
    s.sent = out.sent;
    s.bytes = out.bytes;
    s.expired = out.expired + out.lost;
    s.waiting = out.waiting;
    s.spooled = out.spooled;
    for (std::size_t k = 0; k < out.thinned.size() && k < info_.labels.size(); ++k) {
      s.thinned += out.thinned[k];
      s.thinned_by_class[info_.labels[k]] = out.thinned[k];
    }
    s.models = in.taken;
    s.refused_models = in.refused;
    s.last_refusal = in.last_refusal;
    s.connected = client_.connected();
    s.reconnects = client_.reconnects();
    const std::lock_guard lock(mutex_);
    s.collected = collected_;
    return s;
  }

  LearnerStats learner_stats() const {
    LearnerStats s;
    s.source_version = info_.version;
    const auto serving = slot_->current();
    s.serving_version = serving ? serving->info().version : "";
    s.serving_score = inbox_.counts().score;
    std::tie(s.last_warning, s.warnings) = listeners_.warnings();
    const std::lock_guard lock(mutex_);
    s.offered = offered_;
    s.dropped = refused_ + queue_.dropped();
    s.queued = queue_.faces();
    s.paused = paused_;
    s.faces = gates_.faces;
    s.tracklets = gates_.tracklets;
    s.refused = gates_.refused;
    s.cpu_share = cpu_share_;
    return s;
  }

  std::shared_ptr<ListenerState> subscribe(Learner::Listener listener) {
    return listeners_.subscribe(std::move(listener));
  }

 private:
  fs::path find_source() const {
    fs::path path = settings_.learner.source_model;
    if (path.empty()) path = slot_->source();
    return path.empty() ? require_expression_model() : path;
  }

  EvidenceOutbox::Settings outbox_settings() const {
    EvidenceOutbox::Settings out;
    out.collector = name_;
    out.lower_half = lower_half_.hash;
    out.topic = topics_.evidence;
    out.spool = settings_.learner.checkpoint_dir / "evidence.spool";
    out.spool_bytes = settings_.spool_bytes;
    out.max_per_minute = settings_.max_per_minute;
    out.max_age_s = settings_.learner.learning.max_sample_age;
    out.classes = lower_half_.classes;
    return out;
  }

  ModelInbox::Settings inbox_settings() {
    ModelInbox::Settings in;
    in.slot = settings_.slot;
    in.source = source_path_;
    in.canary = labelled_.canary;
    in.folder = settings_.learner.checkpoint_dir;
    in.learning = settings_.learner.learning;
    in.served_by = slot_;
    in.on_taken = [this](const std::string& version, double score) {
      listeners_.tell([&](const Learner::Listener& l) {
        if (l.on_updated) l.on_updated(version, score);
      });
    };
    in.on_refused = [this](const std::string& reason) { listeners_.warn(reason); };
    return in;
  }

  MqttConnection with_handlers(MqttConnection connection) {
    connection.availability = topics_.available(name_);
    connection.on_message = [this](MqttMessage message) {
      if (message.topic == topics_.model) inbox_.offer(std::move(message.payload));
    };
    return connection;
  }

  // --- Making evidence.

  void work() {
    pthread_setname_np(pthread_self(), "fer-collect");
    if (settings_.learner.idle_priority) take_idle_priority();
    std::unique_ptr<EvidenceCollector> collector;
    try {
      collector = std::make_unique<EvidenceCollector>(
          source_path_, lower_half_, settings_.learner.learning, settings_.learner.threads);
    } catch (const std::exception& failed) {
      give_up(failed.what());
      return;
    }
    const double cpu_begun = thread_cpu_seconds();
    const auto begun = Clock::now();
    CpuBudget budget;
    while (true) {
      std::vector<LearnerQueue::Entry> portion;
      bool stop = false;
      {
        std::unique_lock lock(mutex_);
        const auto rest_begun = Clock::now();
        wake_.wait_for(lock, Seconds(budget.owed()), [&] { return stop_; });
        wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
        budget.rested(Seconds(Clock::now() - rest_begun).count());
        portion = queue_.pop(kPortion);
        stop = stop_;
      }
      const auto work_begun = Clock::now();
      const double cpu_before = thread_cpu_seconds();
      try {
        look_at(*collector, std::move(portion));
        if (stop) send(collector->end_of());
      } catch (const std::exception& failed) {
        give_up(failed.what());
        return;
      }
      if (stop) return;
      const double cpu = (thread_cpu_seconds() - cpu_before) * settings_.learner.threads;
      budget.worked(cpu, Seconds(Clock::now() - work_begun).count(), max_cpu_);
      const std::lock_guard lock(mutex_);
      gates_ = collector->counts();
      cpu_share_ = (thread_cpu_seconds() - cpu_begun) * settings_.learner.threads /
                   std::max(1e-3, Seconds(Clock::now() - begun).count());
    }
  }

  void give_up(const std::string& reason) {
    listeners_.warn("no evidence is collected: " + first_line(reason) +
                    "; what serves goes on serving");
    const std::lock_guard lock(mutex_);
    works_ = false;
    queue_.clear();
  }

  void look_at(EvidenceCollector& collector, std::vector<LearnerQueue::Entry> portion) {
    std::vector<FaceSample> faces;
    for (auto& entry : portion) {
      if (entry.is_stream_face()) {
        faces.push_back(std::move(entry.face));
        continue;
      }
      send(collector.observe(std::exchange(faces, {})));
      send(collector.end_of(entry.face.source));
    }
    send(collector.observe(std::move(faces)));
  }

  void send(std::vector<Evidence> evidence) {
    for (Evidence& one : evidence) outbox_.push(std::move(one));
    const std::lock_guard lock(mutex_);
    collected_ += evidence.size();
  }

  // --- Broker, disk and canary.

  void exchange() {
    pthread_setname_np(pthread_self(), "fer-exchange");
    attempt([&] { inbox_.open(); });
    while (!ended()) {
      // Also where there is no broker: what was collected goes to the disk.
      bool connected = false;
      attempt([&] {
        client_.wait_ready(kTurn);
        connected = client_.connected();
      });
      attempt([&] { outbox_.step(client_); });
      attempt([&] { inbox_.step(); });
      if (connected) attempt([&] { tell_what_serves(); });
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kTurn, [&] { return ended_; });
    }
    attempt([&] { outbox_.close(client_); });
  }

  bool ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }

  /// A fault that stays is told once a minute.
  template <typename Step>
  void attempt(const Step& step) {
    try {
      step();
    } catch (const std::exception& failed) {
      const std::string what = first_line(failed.what());
      const auto now = Clock::now();
      if (said_ == what && now - said_at_ < std::chrono::minutes(1)) return;
      said_ = what;
      said_at_ = now;
      listeners_.warn(what);
    }
  }

  void tell_what_serves() {
    const auto serving = slot_->current();
    const ModelInbox::Counts in = inbox_.counts();
    const nlohmann::json status{{"version", serving ? serving->info().version : ""},
                                {"source", info_.version},
                                {"score", in.score},
                                {"refused", in.refused_version},
                                {"reason", in.refused_version.empty() ? "" : in.last_refusal}};
    const std::string text = status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const std::uint64_t connection = client_.reconnects();
    if (text == told_ && connection == told_in_) return;
    client_.publish({topics_.serving(name_), text, 1, true}, kStatus);
    told_ = text;
    told_in_ = connection;
  }

  const Settings settings_;
  const FolderLock lock_;
  const std::string name_;
  const std::shared_ptr<ModelSlot> slot_;
  const fs::path source_path_;
  const OnlineLearner::Labelled labelled_;
  const ModelInfo info_;
  const LowerHalf lower_half_;
  std::atomic<double> max_cpu_;
  LearnerListeners listeners_;

  mutable std::mutex mutex_;  ///< Held for copies, never for work; guards what follows.
  std::condition_variable wake_;
  LearnerQueue queue_;
  bool stop_ = false;   ///< The work is to end …
  bool ended_ = false;  ///< … and has.
  bool paused_ = false, works_ = true;
  std::uint64_t offered_ = 0, refused_ = 0, collected_ = 0;
  EvidenceCollector::Counts gates_;
  double cpu_share_ = 0;

  const MqttConnection connection_;
  const ExchangeTopics topics_;
  EvidenceOutbox outbox_;
  ModelInbox inbox_;
  // Of the thread that exchanges.
  std::string said_, told_;
  Clock::time_point said_at_{};
  std::uint64_t told_in_ = 0;
  MqttClient client_;  ///< After what its messages go to.
  std::thread work_, exchange_;
};

std::shared_ptr<Collector> Collector::get(const Settings& settings) {
  static SharedByName<Collector> collectors;
  return collectors.get(settings.slot, [&] {
    return std::shared_ptr<Collector>(new Collector(std::make_unique<Impl>(settings)));
  });
}

Collector::Collector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Collector::~Collector() = default;

const ModelInfo& Collector::info() const {
  return impl_->info();
}
bool Collector::offer(FaceSample face) noexcept {
  return impl_->offer(std::move(face));
}
void Collector::end_of(const std::string& source) {
  impl_->end_of(source);
}
void Collector::pause(bool paused) {
  impl_->pause(paused);
}
void Collector::set_max_cpu(double max_cpu) {
  impl_->set_max_cpu(max_cpu);
}
CollectorStats Collector::stats() const {
  return impl_->stats();
}
LearnerStats Collector::learner_stats() const {
  return impl_->learner_stats();
}
Learner::Subscription Collector::subscribe(Learner::Listener listener) {
  Learner::Subscription subscription;
  subscription.state_ = impl_->subscribe(std::move(listener));
  return subscription;
}

}  // namespace fer
