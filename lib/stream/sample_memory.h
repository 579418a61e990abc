// What a learner remembers of a stream. Free of LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "export.h"
#include "stream/learner_config.h"
#include "stream/tracklet.h"
#include "util/random.h"

namespace fer {

/// A bounded memory of evidence. The learner draws from it, never from the stream: an hour of the
/// same scene takes no more room than a minute.
///
/// Both a class (by the items' present labels) and an identity (one track of one source) have a
/// maximum. A new item replaces the oldest of its identity, else the oldest of the identity that
/// has most items of the class.
class FER_API SampleMemory {
 public:
  struct Item {
    std::uint64_t id = 0;  ///< In order of arrival, never used twice.
    Evidence evidence;
    std::int64_t added_s = 0;  ///< When it was added: seconds since 1970, UTC.
  };

  /// `capped` false: only the size of the whole is bounded, the oldest goes, and draw() gives the
  /// last that came. For experiments.
  SampleMemory(const MemoryConfig& config, int classes, bool capped = true);

  /// `now_s`: seconds since 1970, UTC.
  void add(Evidence evidence, std::int64_t now_s = 0);
  /// Drops one item, where it is there.
  void drop(std::uint64_t id);
  /// Drops what was added before that time.
  bool drop_older(std::int64_t than_s);

  /// Indices into items(): n draws, each class as often as shares() says, evenly within a class;
  /// the same for the same random numbers. Empty where the memory is.
  std::vector<std::size_t> draw(int n, Random random) const;
  /// Share of each class among the draws: proportional to the square root of its items. So no class
  /// drowns, and the few items of a rare class, which may be wrong, are not drawn all the time. All
  /// zero for an empty memory.
  std::vector<double> shares() const;

  /// The label that the item has from now on.
  void relabel(std::size_t index, int label) { items_.at(index).evidence.label = label; }

  const std::vector<Item>& items() const { return items_; }  ///< Oldest first.
  int size() const { return static_cast<int>(items_.size()); }
  int capacity() const { return config_.per_class * classes_; }
  int count(int label) const;
  /// All that were ever added.
  std::uint64_t added() const { return next_id_; }

  void clear() { items_.clear(); }
  /// Goes on from what items() and added() gave. Throws std::runtime_error for what does not fit.
  void restore(std::vector<Item> items, std::uint64_t added);

 private:
  void make_room(const Evidence& next);

  MemoryConfig config_;
  int classes_;
  bool capped_;
  std::vector<Item> items_;
  std::uint64_t next_id_ = 0;
};

}  // namespace fer
