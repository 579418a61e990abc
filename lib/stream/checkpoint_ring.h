// The last candidates of a learner on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "learn/run/checkpoint.h"
#include "network/model_file.h"
#include "stream/checkpoint_names.h"

namespace fer {

/// A folder of candidates, each a model `N.fer` and the learner's state at that moment, `N.state`,
/// N counted up; those that served, `N.good.fer` and `N.good.state`. States, which may hold faces,
/// are for their owner alone (mode 0600). Each file is written whole or
/// not at all, the model last: an entry without one was never finished. A crash at any instant
/// leaves all finished entries as they were.
class CheckpointRing {
 public:
  /// Called with a sentence for what is skipped.
  using Warn = std::function<void(const std::string&)>;

  /// Keeps the `capacity` newest entries, and the newest good one whatever came after it. Touches
  /// no disk yet.
  CheckpointRing(std::filesystem::path folder, int capacity);

  /// Adds an entry and removes what is too many, then and only then. Throws std::runtime_error with
  /// the file and the system's reason where it cannot be written (disk full, folder read-only); the
  /// entries before are left alone.
  void save(ModelFile& model, const Checkpoint& state, bool good);

  /// Removes the states of all entries but the newest: they hold faces that are to be forgotten.
  /// Their models stay.
  void forget_earlier_states() const;

  struct Entry {
    std::int64_t number = 0;
    bool good = false;
    ModelFile model;
    Checkpoint state;
  };
  /// The newest entry that can be read, or the newest good one; those that cannot be are skipped,
  /// each with a warning. nullopt where there is none.
  std::optional<Entry> newest(bool good_only, const Warn& warn) const;

  /// Readable models of the good entries, oldest first.
  std::vector<ModelFile> good_models(const Warn& warn) const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  using Name = CheckpointName;
  /// Of finished entries, oldest first.
  std::vector<Name> names() const;
  std::filesystem::path path(const Name& name, const char* ending) const {
    return folder_ / name.file(ending);
  }
  void prune() const;

  const std::filesystem::path folder_;
  const int capacity_;
};

}  // namespace fer
