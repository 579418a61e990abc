// Models that come from a learner elsewhere, and whether they serve.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "stream/model_trial.h"

namespace fer {

class ModelSlot;

/// Takes the last model that came, holds it against this machine's canary, and lets the slot serve
/// it. What it took up is kept in a file, and serves again after a restart, broker or not.
class ModelInbox {
 public:
  struct Settings {
    std::string slot;
    std::filesystem::path source, canary, folder;
    OnlineConfig learning;
    std::shared_ptr<ModelSlot> served_by;
    std::function<void(const std::string& version, double score)> on_taken;
    std::function<void(const std::string& reason)> on_refused;
  };
  struct Counts {
    std::uint64_t taken = 0;
    std::map<std::string, std::uint64_t> refused;
    std::string last_refusal;     ///< A sentence.
    std::string refused_version;  ///< Of the last that was refused; empty where it is unknown.
    double score = 0;             ///< Macro recall on the canary of the last that was taken up.
  };

  explicit ModelInbox(Settings settings);

  /// Keeps a message until step(); the one before it goes. Never waits. Thread-safe.
  void offer(std::string message);

  /// Reads source and canary, and lets serve what was taken up last. Throws std::runtime_error with
  /// a sentence where they cannot be read: then every model is refused.
  void open();
  /// Takes up what came. Takes a second or so.
  void step();

  /// Thread-safe.
  Counts counts() const;

 private:
  void take(const std::string& message);
  void try_file(const std::filesystem::path& file, const std::string& version);

  const Settings settings_;
  const std::string source_version_;
  std::unique_ptr<ModelTrial> trial_;
  std::string why_no_trial_ = "the canary has not been read yet";

  mutable std::mutex mutex_;  ///< Guards what follows.
  std::optional<std::string> message_;
  Counts counts_;
};

}  // namespace fer
