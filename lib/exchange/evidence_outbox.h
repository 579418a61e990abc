// Evidence on its way out: thinned in memory, kept on disk, sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "exchange/evidence_queue.h"
#include "mqtt/mqtt_client.h"
#include "mqtt/spool.h"
#include "stream/tracklet.h"

namespace fer {

/// Takes evidence at once, however fast it comes, and lets a bounded number a minute go to a spool
/// on disk, from which the broker gets it, at least once and in order. Where spool or rate have no
/// room, evidence waits in an EvidenceQueue, which thins it. Evidence that no learner takes is sent
/// again later.
class EvidenceOutbox {
 public:
  struct Settings {
    std::string collector, lower_half, topic;
    std::filesystem::path spool;
    std::uint64_t spool_bytes = 0;
    int max_per_minute = 0;
    double max_age_s = 0;  ///< Of evidence that waits; 0: any.
    std::size_t classes = 0;
  };
  struct Counts {
    std::uint64_t sent = 0, bytes = 0;
    std::uint64_t expired = 0;           ///< Too old.
    std::uint64_t lost = 0;              ///< Could not be kept or read.
    std::vector<std::uint64_t> thinned;  ///< A class.
    std::uint64_t spooled = 0;           ///< On disk now.
    std::size_t waiting = 0;             ///< In memory now.
  };

  /// Throws std::runtime_error with a sentence where the spool cannot be used.
  explicit EvidenceOutbox(Settings settings);

  /// Never waits for the disk. Thread-safe.
  void push(Evidence evidence);

  /// Sends what may be sent now; the client's thread calls it a few times a second. Throws
  /// std::runtime_error with a sentence where disk or broker fail; it may be called again.
  void step(MqttClient& client);
  /// Puts what waits in memory on disk, as far as there is room.
  void close(MqttClient& client);

  /// Thread-safe.
  Counts counts() const;

 private:
  using Clock = std::chrono::steady_clock;

  void refill(Clock::time_point now);
  void keep(bool all);
  void settle(MqttClient& client);
  void send(MqttClient& client, Clock::time_point now);
  void expire(Clock::time_point now);

  const Settings settings_;
  const std::string session_;

  // Of the client's thread.
  Spool spool_;
  std::uint64_t number_ = 0;
  double tokens_ = 0;
  Clock::time_point refilled_ = Clock::now(), expired_ = refilled_;
  std::int64_t sent_ = 0;  ///< The last line that is on its way.
  bool rewind_ = false;    ///< Some reached nobody: all that is left is to be sent again.
  Clock::time_point resume_{};

  mutable std::mutex mutex_;  ///< Guards what follows.
  EvidenceQueue queue_;
  Counts counts_;
};

}  // namespace fer
