#include "stream/learner.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "model/classifier.h"
#include "model/device_name.h"
#include "model/find_model.h"
#include "model/slot.h"
#include "model/stored_model.h"
#include "network/device_stream.h"
#include "network/model_file.h"
#include "network/torch_threads.h"
#include "network/torch_weights.h"
#include "stream/checkpoint_folder.h"
#include "stream/checkpoint_ring.h"
#include "stream/cpu_budget.h"
#include "stream/expiry_interval.h"
#include "stream/label_requests.h"
#include "stream/learner_asked.h"
#include "stream/learner_listeners.h"
#include "stream/learner_log.h"
#include "stream/learner_queue.h"
#include "stream/online_learner.h"
#include "stream/thread_time.h"
#include "util/first_line.h"
#include "util/shared_by_name.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr char kServedFile[] = "served.fer";
/// Faces that are looked at between two looks at what was asked for.
constexpr std::size_t kPortion = 32;

/// With the device's own name. `fallback`: as resolve_device() gives it.
Learner::Settings checked(Learner::Settings settings, std::string& fallback) {
  settings.learning.check();
  settings.learning.device = resolve_device(settings.learning.device, &fallback);
  if (!(settings.max_cpu > 0 && settings.max_cpu <= 16))
    throw std::runtime_error("max-cpu: expected a share of one core above 0 and up to 16");
  if (settings.threads < 1 || settings.queue < 1 || settings.checkpoints < 1)
    throw std::runtime_error("threads, queue and checkpoints: expected at least 1 of each");
  return settings;
}

}  // namespace

class Learner::Impl {
 public:
  Impl(const std::string& slot_name, const Settings& settings)
      : settings_(checked(settings, device_fallback_)),
        stream_(torch::Device(settings_.learning.device), Urgency::kLearning),
        slot_(ModelSlot::get(slot_name)),
        source_path_(find_source()),
        source_(read_model(source_path_)),
        crop_bytes_(crop_bytes(source_.info.network)),
        max_cpu_(settings.max_cpu),
        queue_(settings.queue) {
    const OneTorchThread one_thread;
    const DeviceStream::Scope on_stream(stream_);
    if (!device_fallback_.empty()) {
      warn("learning is computed on the processor: " + device_fallback_ +
           "; device=cpu says that this is meant");
    }
    if (!settings_.checkpoint_dir.empty() && claim_folder()) {
      ring_.emplace(settings_.checkpoint_dir, settings_.checkpoints);
      log_.emplace(settings_.checkpoint_dir);
    }
    serve();
    refresh_stats();
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      asked_.stop = true;
      end_idle_priority(thread_);
    }
    wake_.notify_all();
    thread_.join();
  }

  const ModelInfo& info() const { return source_.info; }
  std::shared_ptr<ModelSlot> slot() const { return slot_; }

  bool offer(FaceSample face) noexcept {
    if (face.crop.size() != crop_bytes_) return false;
    return is_taken([&] { return queue_.push_face(std::move(face)); });
  }

  bool offer_evidence(Evidence evidence, std::int64_t age_s) noexcept {
    return is_taken([&] { return queue_.push_evidence(std::move(evidence), age_s); });
  }

  /// Hands over what a person asks for: the thread takes it before all else, at once.
  template <typename Request>
  auto of_a_person(const Request& request) {
    const std::lock_guard lock(mutex_);
    end_idle_priority(thread_);
    wake_.notify_all();
    return request(label_requests_);
  }

  bool add_label(FaceSample face, const std::string& label,
                 std::optional<std::uint64_t> question = std::nullopt) {
    const auto& labels = source_.info.labels;
    const auto place = std::find(labels.begin(), labels.end(), label);
    if (face.crop.size() != crop_bytes_ || place == labels.end()) return false;
    const int id = static_cast<int>(place - labels.begin());
    return of_a_person([&](LabelRequests& requests) {
      return learns_ && requests.label(std::move(face), id, question);
    });
  }

  void end_of(const std::string& source) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_end(source);
    }
    wake_.notify_all();
  }

  template <typename Change>
  void ask(const Change& change) {
    {
      const std::lock_guard lock(mutex_);
      change(asked_);
      if (person_waits()) end_idle_priority(thread_);
    }
    wake_.notify_all();
  }

  bool paused() const {
    const std::lock_guard lock(mutex_);
    return asked_.paused;
  }

  void set_max_cpu(double max_cpu) { max_cpu_ = std::clamp(max_cpu, 1e-3, 16.0); }

  LearnerStats stats() const {
    const std::lock_guard lock(mutex_);
    LearnerStats s = stats_;
    s.offered = offered_;
    s.dropped = refused_ + queue_.dropped();
    s.queued = queue_.faces();
    s.paused = asked_.paused;
    std::tie(s.last_warning, s.warnings) = listeners_.warnings();
    return s;
  }

  std::shared_ptr<ListenerState> subscribe(Listener listener) {
    return listeners_.subscribe(std::move(listener));
  }

  bool drain(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return idle_.wait_for(lock, timeout, [&] { return at_rest_ && !has_work(); });
  }

 private:
  using Entry = LearnerQueue::Entry;

  /// Whether what `push` puts into the queue may be, and could be.
  template <typename Push>
  bool is_taken(const Push& push) noexcept {
    {
      const std::lock_guard lock(mutex_);
      ++offered_;
      if (asked_.paused || !learns_ || !push()) {
        ++refused_;
        return false;
      }
    }
    wake_.notify_all();
    return true;
  }

  fs::path find_source() const {
    const fs::path& named = settings_.source_model;
    const fs::path path = named.empty() ? slot_->source() : named;
    return path.empty() ? require_expression_model() : path;
  }

  /// Whether the folder for checkpoints is ours to write to. Two learners would take each other's
  /// entries for their own, and other people's files are not ours to replace.
  bool claim_folder() {
    const auto refuse = [this](const std::exception& why) {
      warn(std::string(why.what()) + "; nothing is kept of what is learnt meanwhile");
      return false;
    };
    try {
      prepare_folder();
    } catch (const FolderBusy& busy) {
      return refuse(busy);
    } catch (const FolderForeign& foreign) {
      return refuse(foreign);
    } catch (const std::runtime_error&) {
      // It may be read from all the same, and what cannot be written says so itself.
    }
    return true;
  }

  /// Before anything is written there: the folder may have been removed since, and made anew.
  void prepare_folder() {
    if (folder_)
      folder_->ensure();
    else
      folder_.emplace(settings_.checkpoint_dir, source_.info.version);
  }

  /// Makes the learner, goes on from a checkpoint where there is one, and serves what that served.
  /// On the learner's thread: reading labelled faces takes seconds, and the stream plays meanwhile.
  void begin() {
    make_learner();
    if (!learner_) {
      const std::lock_guard lock(mutex_);
      learns_ = false;
      queue_.clear();
    }
    try {
      serve();
    } catch (const std::exception& refused) {
      // A device without memory now may take it later: work() tries again.
      warn(first_line(refused.what()) + "; the source model serves meanwhile");
    }
    refresh_stats();
    log(/*always=*/true);
  }

  void make_learner() {
    const auto labelled =
        OnlineLearner::Labelled{settings_.replay, settings_.canary}.or_beside(source_path_);
    try {
      learner_ = std::make_unique<OnlineLearner>(source_, labelled, settings_.learning);
    } catch (const std::exception& missing) {
      // LibTorch's own, of a device that refuses, go on for a page.
      const std::string reason = first_line(missing.what());
      warn(reason + "; the source model serves, and nothing is learnt");
      const std::lock_guard lock(mutex_);
      stats_.reason = reason;
      return;
    }
    if (!ring_) return;
    const auto skip = [this](const std::string& what) { warn(what); };
    if (auto entry = ring_->newest(/*good_only=*/false, skip)) {
      try {
        learner_->restore(entry->state);
        learner_->restore_history(ring_->good_models(skip));
      } catch (const std::exception& other) {
        warn(settings_.checkpoint_dir.string() + ": " + first_line(other.what()) +
             "; learning begins from the source model");
      }
    }
  }

  /// Lets the slot, and served.fer, have what may serve now.
  void serve() {
    const ModelFile model = learner_ ? learner_->serving() : source_;
    const auto current = slot_->current();
    // Until it has been laid out: a device without memory may refuse now and take it later.
    unserved_ = true;
    if (!current || current->info().version != model.info.version)
      slot_->serve(std::make_shared<const StoredModel>(to_stored(model)));
    unserved_ = false;
    publish(model);
  }

  /// Writes the model that serves to served.fer, unless it is there.
  void publish(const ModelFile& model) {
    if (!ring_ || !learner_) return;
    const fs::path file = settings_.checkpoint_dir / kServedFile;
    std::error_code unknown;
    if (model.info.version == published_ && (fs::exists(file, unknown) || unknown)) return;
    attempt([&] {
      prepare_folder();
      ModelFile written = model;
      write_model(file, written);
      published_ = model.info.version;
    });
  }

  void run() {
    pthread_setname_np(pthread_self(), "fer-learner");
    const TorchThreadLimit limit(settings_.threads);
    const DeviceStream::Scope on_stream(stream_);
    // What served before a restart must not wait until the machine is idle.
    begin();
    const double cpu_begun = thread_cpu_seconds();
    const auto begun = Clock::now();
    auto saved = begun;
    CpuBudget budget;
    while (true) {
      std::vector<Entry> portion;
      LabelRequests requests;
      LearnerAsked asked;
      {
        std::unique_lock lock(mutex_);
        if (settings_.idle_priority && !person_waits()) take_idle_priority();
        const auto rest_begun = Clock::now();
        if (const double owed = budget.owed(); owed > 0)
          wake_.wait_for(lock, Seconds(owed), [&] { return person_waits(); });
        if (!has_work()) {
          at_rest_ = true;
          idle_.notify_all();
          const auto nap = expiry_interval(settings_.learning.max_sample_age);
          if (nap.count() == 0) wake_.wait(lock, [&] { return has_work(); });
          while (!wake_.wait_for(lock, nap, [&] { return has_work(); }) && !expire()) {
          }
        }
        budget.rested(Seconds(Clock::now() - rest_begun).count());
        at_rest_ = false;
        requests = label_requests_.take();
        // Faces come after people.
        if (requests.empty()) portion = queue_.pop(kPortion);
        asked = asked_.take();
      }
      const auto work_begun = Clock::now();
      const double cpu_before = thread_cpu_seconds();
      if (!learner_) {
        requests.answer_none();
      } else {
        try {
          work(std::move(portion), requests, asked);
          if (Clock::now() - saved > settings_.save_interval || asked.save || asked.stop) {
            saved = Clock::now();
            if (unsaved_ || asked.save) save(/*good=*/false);
          }
        } catch (const std::exception& failed) {
          halt(failed.what());
        }
      }
      if (asked.stop) break;
      // What OpenMP's threads took beside this one is not told apart: as much, at most.
      const double cpu = (thread_cpu_seconds() - cpu_before) * settings_.threads;
      budget.worked(cpu, Seconds(Clock::now() - work_begun).count(), max_cpu_);
      cpu_share_ = (thread_cpu_seconds() - cpu_begun) * settings_.threads /
                   std::max(1e-3, Seconds(Clock::now() - begun).count());
      refresh_stats();
      report();
      log(/*always=*/false);
    }
    refresh_stats();
    log(/*always=*/true);
  }

  void work(std::vector<Entry> portion, LabelRequests& requests, const LearnerAsked& asked) {
    if (unserved_ && !asked.paused) serve();
    expire();
    if (asked.reset) {
      learner_->reset();
      serve();
      unsaved_ = true;
      listeners_.rolled_back(learner_->stats().reason);
    } else if (asked.rollback) {
      if (learner_->rollback()) {
        serve();
        save(/*good=*/false);
        listeners_.rolled_back(learner_->stats().reason);
      } else {
        warn("there is nothing to roll back to: the source model serves");
      }
    }
    if (requests.fulfil(*learner_)) labels_unjudged_ = true;
    std::vector<FaceSample> faces;
    for (Entry& entry : portion) {
      if (entry.is_stream_face()) {
        faces.push_back(std::move(entry.face));
        continue;
      }
      learner_->observe(std::exchange(faces, {}));
      if (entry.evidence)
        learner_->take(std::move(*entry.evidence), entry.age_s);
      else
        learner_->end_of(entry.face.source);
    }
    learner_->observe(std::move(faces));
    if (!portion.empty() || !requests.empty()) unsaved_ = true;
    if (asked.paused || asked.stop) return;
    if (std::exchange(labels_unjudged_, false)) {
      // Whoever labels wants to see what it does: a head needs no steps.
      stepped_ = true;
      take(learner_->judge_now());
      return;
    }
    if (!learner_->can_step()) return;
    learner_->step();
    stepped_ = unsaved_ = true;
    if (const auto outcome = learner_->judge_if_due()) take(*outcome);
  }

  /// Serves, saves and tells what came of a decision.
  void take(OnlineLearner::Outcome outcome) {
    if (outcome == OnlineLearner::Outcome::kPromoted) {
      serve();
      save(/*good=*/true);
      listeners_.updated(learner_->stats());
    } else {
      save(/*good=*/false);
      if (outcome == OnlineLearner::Outcome::kRolledBack)
        listeners_.rolled_back(learner_->stats().reason);
    }
  }

  /// Forgets faces that are too old. Whether anything is to be saved, of that or of before.
  bool expire() {
    if (learner_ && learner_->expire()) unsaved_ = expired_ = true;
    return unsaved_;
  }

  /// With mutex_ held: what waits neither for the budget nor for an idle machine.
  bool person_waits() const { return asked_.anything() || !label_requests_.empty(); }

  /// Of the thread, or of others with mutex_ held.
  bool has_work() const {
    return person_waits() || !queue_.empty() || (can_step_ && !asked_.paused);
  }

  void save(bool good) {
    if (!ring_) return;
    attempt([&] {
      prepare_folder();
      ModelFile model = good ? learner_->serving() : learner_->candidate();
      ring_->save(model, learner_->state(), good);
      // What is too old to be remembered must not lie in an earlier state either.
      if (std::exchange(expired_, false)) ring_->forget_earlier_states();
      unsaved_ = false;
    });
    publish(learner_->serving());  // The folder may have been made anew.
  }

  /// For what may fail while learning goes on.
  template <typename Write>
  void attempt(const Write& write) {
    try {
      write();
    } catch (const std::exception& failed) {
      warn(first_line(failed.what()) + "; learning goes on without it");
    }
  }

  void warn(const std::string& warning) { listeners_.warn(warning); }

  /// Where a step failed, the next one would: memory has run out, or a device is lost.
  void halt(const std::string& reason) {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(asked_.paused, true)) return;  // it was said
    }
    warn("learning is paused: " + first_line(reason) +
         "; what serves goes on serving. Unpause it to go on");
    if (unsaved_) save(/*good=*/false);
  }

  void report() {
    const auto now = Clock::now();
    if (!stepped_ || now - reported_ < settings_.report_interval) return;
    reported_ = now;
    stepped_ = false;
    listeners_.report(stats());
  }

  /// Writes a line of the log where one is due. A log that cannot be written is told of once.
  void log(bool always) {
    if (!log_) return;
    if (const auto failed = log_->append_if_due(stats(), Clock::now(), always))
      warn(first_line(*failed) + "; learning goes on without it");
  }

  void refresh_stats() {
    LearnerStats fresh;
    bool can_step = false;
    if (learner_) {
      fresh = learner_->stats();
      can_step = learner_->can_step() || labels_unjudged_;
    } else {
      fresh.source_version = fresh.serving_version = source_.info.version;
    }
    const std::lock_guard lock(mutex_);
    if (!learner_) fresh.reason = stats_.reason;
    fresh.cpu_share = cpu_share_;
    stats_ = std::move(fresh);
    can_step_ = can_step;
  }

  std::string device_fallback_;  ///< Why "auto" is the processor; empty where nothing is wrong.
  const Settings settings_;
  const DeviceStream stream_;
  const std::shared_ptr<ModelSlot> slot_;
  const fs::path source_path_;
  const ModelFile source_;
  const std::size_t crop_bytes_;
  std::atomic<double> max_cpu_;

  // Of the learner's thread once it runs.
  std::optional<CheckpointFolder> folder_;  ///< Empty where it could not be claimed yet.
  std::optional<CheckpointRing> ring_;      ///< Empty where nothing is kept, as log_.
  std::optional<LearnerLog> log_;
  std::unique_ptr<OnlineLearner>
      learner_;            ///< Null until begin(), and where nothing can be learnt.
  std::string published_;  ///< Version in served.fer.
  bool unserved_ = false, unsaved_ = false, stepped_ = false;
  bool expired_ = false;          ///< Faces went for their age since the last checkpoint.
  bool labels_unjudged_ = false;  ///< Labels came and no head was fitted to them yet.
  Clock::time_point reported_{};
  double cpu_share_ = 0;

  LearnerListeners listeners_;

  mutable std::mutex mutex_;  ///< Held for copies, never for work; guards what follows.
  std::condition_variable wake_, idle_;
  LearnerQueue queue_;
  bool learns_ = true;                       ///< False once it is known that nothing can be learnt.
  std::uint64_t offered_ = 0, refused_ = 0;  ///< Refused: they never were in the queue.
  LearnerAsked asked_;
  LabelRequests label_requests_;
  LearnerStats stats_;
  bool can_step_ = false;
  bool at_rest_ = false;  ///< The thread waits for work.

  std::thread thread_;  ///< Last: begins when all else is there.
};

std::shared_ptr<Learner> Learner::get(const std::string& slot, const Settings& settings) {
  static SharedByName<Learner> learners;
  return learners.get(slot, [&] {
    return std::shared_ptr<Learner>(new Learner(std::make_unique<Impl>(slot, settings)));
  });
}

Learner::Learner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Learner::~Learner() = default;

const ModelInfo& Learner::info() const {
  return impl_->info();
}
std::shared_ptr<ModelSlot> Learner::slot() const {
  return impl_->slot();
}
bool Learner::offer(FaceSample face) noexcept {
  return impl_->offer(std::move(face));
}
bool Learner::offer_evidence(Evidence evidence, std::int64_t age_s) noexcept {
  return impl_->offer_evidence(std::move(evidence), age_s);
}
bool Learner::add_label(FaceSample face, const std::string& label) {
  return impl_->add_label(std::move(face), label);
}

std::future<std::vector<LabelQuestion>> Learner::questions(std::size_t n,
                                                           std::set<std::string> hidden) {
  return impl_->of_a_person([&](LabelRequests& all) { return all.pick(n, std::move(hidden)); });
}
bool Learner::answer(const LabelQuestion& question, const std::string& label) {
  return impl_->add_label({question.crop, question.source, question.track}, label, question.id);
}
void Learner::answer(const LabelQuestion& question, LabelAnswer answer) {
  impl_->of_a_person([&](LabelRequests& all) { all.settle(question.id, answer); });
}

void Learner::end_of(const std::string& source) {
  impl_->end_of(source);
}
void Learner::pause(bool paused) {
  impl_->ask([&](auto& asked) { asked.paused = paused; });
}
bool Learner::paused() const {
  return impl_->paused();
}
void Learner::set_max_cpu(double max_cpu) {
  impl_->set_max_cpu(max_cpu);
}
void Learner::save() {
  impl_->ask([](auto& asked) { asked.save = true; });
}
void Learner::rollback() {
  impl_->ask([](auto& asked) { asked.rollback = true; });
}
void Learner::reset() {
  impl_->ask([](auto& asked) { asked.reset = true; });
}
LearnerStats Learner::stats() const {
  return impl_->stats();
}
Learner::Subscription Learner::subscribe(Listener listener) {
  Subscription subscription;
  subscription.state_ = impl_->subscribe(std::move(listener));
  return subscription;
}
bool Learner::drain(std::chrono::milliseconds timeout) {
  return impl_->drain(timeout);
}

}  // namespace fer
