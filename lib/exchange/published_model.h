// What the broker keeps as a slot's model, and whether it is what the learner serves.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "exchange/model_message.h"

namespace fer {

/// Decides when a model is to be published; reads the learner's file served.fer, and neither sends
/// nor learns. Not thread-safe.
class PublishedModel {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `served`: the file that the learner replaces. `source`: the version that it began from.
  PublishedModel(std::string slot, std::string service, std::filesystem::path served,
                 std::string source);

  /// The broker is there, again: what it keeps comes now, if it keeps anything.
  void connected(Time now);
  /// What it keeps. Throws RefusedMessage where that is no model of the slot: then ours replaces
  /// it.
  void heard(const std::string& message);

  /// The message that is to be published (retained) now; nullopt: none. `serving`: the version that
  /// the learner serves. `decided`: it was decided so since this program began; a service that
  /// merely begins anew from the source does not put it in the place of what was learnt. Throws
  /// std::runtime_error where the learner's file cannot be read.
  std::optional<std::string> due(const std::string& serving, bool decided, Time now);

  /// Of the model that the broker keeps; empty: none, or unknown.
  const std::string& version() const { return kept_version_; }

 private:
  bool read(const std::string& serving);

  const std::string slot_, service_;
  const std::filesystem::path served_;
  const std::string source_;
  ModelMessage ours_;
  std::string kept_hash_, kept_version_, sent_hash_;
  bool knows_ = false;  ///< What the broker keeps.
  Time since_{}, again_{};
};

}  // namespace fer
