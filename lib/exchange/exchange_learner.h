// A slot's learner that many machines feed by a broker. Free of LibTorch and GStreamer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "exchange/exchange_topics.h"
#include "exchange/senders.h"
#include "stream/learner.h"

namespace fer {

/// What a ExchangeLearner tells of itself.
struct ExchangeLearnerStats {
  bool connected = false;
  bool learns = false;         ///< It holds the slot; else another service does.
  std::string owner;           ///< The service that holds it; empty: none, or unknown.
  std::uint64_t received = 0;  ///< Pieces of evidence that were taken.
  std::uint64_t dropped = 0;   ///< Messages that came faster than they were looked at.
  std::map<std::string, std::uint64_t> refused;           ///< name_of(MessageFault) → messages.
  std::map<std::string, std::uint64_t> thinned_by_class;  ///< For want of room.
  std::map<std::string, Senders::Sender> collectors;
  std::string published_version;  ///< Of the model that the broker keeps, as far as it is ours.
  std::uint64_t published = 0;    ///< Models.
  LearnerStats learner;
};

/// Takes evidence of all collectors of a slot, learns, and publishes what serves. Of several
/// services with one slot, one learns at a time (LearnerClaim). Where evidence comes too fast it is
/// thinned by collector, class and identity (EvidenceQueue); where even that is full, this ends its
/// subscription for a while, and evidence waits where it is made. Thread-safe.
class ExchangeLearner {
 public:
  struct Settings {
    ExchangeBroker broker;
    std::string slot;
    std::string service;  ///< Its name among the slot's services; empty: made up.
    /// `checkpoint_dir` must be there.
    Learner::Settings learner;
  };
  /// What happens, on a thread of its own; `important` for what people should know of.
  using Say = std::function<void(bool important, const std::string& sentence)>;

  /// Blocks while it reads the source model. Throws std::runtime_error with a sentence.
  ExchangeLearner(const Settings& settings, Say say);
  /// Saves, releases the slot, and disconnects.
  ~ExchangeLearner();
  ExchangeLearner(const ExchangeLearner&) = delete;
  ExchangeLearner& operator=(const ExchangeLearner&) = delete;

  ExchangeLearnerStats stats() const;
  /// As those of Learner.
  void save();
  void rollback();
  void reset();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
