// A slot without a learner of its own: evidence goes to a broker, models come back from it. Free of
// LibTorch and GStreamer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "exchange/exchange_topics.h"
#include "model/model_info.h"
#include "stream/face_sample.h"
#include "stream/learner.h"

namespace fer {

/// What a collector tells of itself. Counts start with the process.
struct CollectorStats {
  std::uint64_t collected = 0;  ///< Tracklets that passed the gates.
  std::uint64_t sent = 0;       ///< Of these, those that reached a learner.
  std::uint64_t thinned = 0;    ///< Dropped by class and identity, for want of room.
  std::map<std::string, std::uint64_t> thinned_by_class;
  std::uint64_t expired = 0;  ///< Dropped because they had waited too long.
  std::size_t waiting = 0;    ///< In memory …
  std::uint64_t spooled = 0;  ///< … and on disk.
  std::uint64_t bytes = 0;    ///< Of the messages that were sent.
  bool connected = false;
  std::uint64_t reconnects = 0;
  std::uint64_t models = 0;                             ///< That came and were taken up.
  std::map<std::string, std::uint64_t> refused_models;  ///< Why (name_of(MessageFault)) → how many.
  std::string last_refusal;                             ///< A sentence.
};

/// Shared by all elements of a process that name the same slot. offer() and stats() may be called
/// from streaming threads: they wait for nothing but a lock that is held for a copy. Making
/// evidence runs at idle priority within a CPU budget; disk, broker and canary have a thread of
/// their own. Thread-safe.
class Collector {
 public:
  struct Settings {
    ExchangeBroker broker;
    std::string slot;
    /// Source model, canary and how evidence is made, as a learner of the slot has them.
    /// `checkpoint_dir` must be there: what waits for the broker lies in it (evidence.spool), and
    /// the model that was taken up last (served.fer).
    Learner::Settings learner;
    int max_per_minute = 30;  ///< Pieces of evidence that are sent; more are thinned.
    std::uint64_t spool_bytes = 64 << 20;
  };

  /// The collector of the slot; see Learner::get(). Throws std::runtime_error with a sentence.
  static std::shared_ptr<Collector> get(const Settings& settings);

  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  const ModelInfo& info() const;
  /// As those of Learner.
  bool offer(FaceSample face) noexcept;
  void end_of(const std::string& source);
  void pause(bool paused);
  void set_max_cpu(double max_cpu);

  CollectorStats stats() const;
  /// Faces, gates, versions and warnings, as a learner tells them.
  LearnerStats learner_stats() const;
  /// on_updated: another machine's model serves here; on_rolled_back: one was refused.
  [[nodiscard]] Learner::Subscription subscribe(Learner::Listener listener);

 private:
  class Impl;
  explicit Collector(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
