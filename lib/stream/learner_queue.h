// What waits for a learner's thread. Free of LibTorch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "stream/face_sample.h"
#include "stream/tracklet.h"

namespace fer {

/// Faces of streams, evidence of other machines, and ends of streams, in the order in which they
/// came. Bounded: a face, or a piece of evidence, pushes the oldest one of both out. Not
/// thread-safe.
class LearnerQueue {
 public:
  struct Entry {
    FaceSample face;
    bool end = false;  ///< Nothing but the end of face.source.
    /// In place of a face: what another machine made of some.
    std::shared_ptr<Evidence> evidence = {};
    std::int64_t age_s = 0;  ///< Of the evidence.

    bool is_stream_face() const { return !end && !evidence; }
  };

  /// Faces of streams that wait, at most.
  explicit LearnerQueue(std::size_t capacity) : capacity_(capacity) {}

  /// False where there is no memory for it.
  bool push_face(FaceSample face) noexcept {
    return push([&](Entry& entry) { entry.face = std::move(face); });
  }
  /// The same.
  bool push_evidence(Evidence evidence, std::int64_t age_s) noexcept {
    return push([&](Entry& entry) {
      entry.evidence = std::make_shared<Evidence>(std::move(evidence));
      entry.age_s = age_s;
    });
  }

  void push_end(const std::string& source) {
    // One end is enough until a face of the source follows: else ends alone could fill the queue.
    const auto last = std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& entry) {
      return !entry.evidence && entry.face.source == source;
    });
    if (last != entries_.rend() && last->end) return;
    Entry entry;
    entry.face.source = source;
    entry.end = true;
    entries_.push_back(std::move(entry));
  }

  /// The oldest entries, `most` of them.
  std::vector<Entry> pop(std::size_t most) {
    std::vector<Entry> portion;
    while (!entries_.empty() && portion.size() < most) {
      Entry& front = entries_.front();
      faces_ -= front.end ? 0 : 1;
      portion.push_back(std::move(front));
      entries_.pop_front();
    }
    return portion;
  }

  /// Drops all that waits.
  void clear() {
    dropped_ += faces_;
    faces_ = 0;
    entries_.clear();
  }

  bool empty() const { return entries_.empty(); }
  std::size_t faces() const { return faces_; }        ///< Of streams and evidence, that wait.
  std::uint64_t dropped() const { return dropped_; }  ///< Faces of streams that were pushed out.

 private:
  template <typename Fill>
  bool push(const Fill& fill) noexcept {
    try {
      Entry entry;
      fill(entry);
      if (faces_ >= capacity_) drop_oldest();
      entries_.push_back(std::move(entry));
      ++faces_;
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  void drop_oldest() {
    entries_.erase(std::find_if(entries_.begin(), entries_.end(),
                                [](const Entry& entry) { return !entry.end; }));
    --faces_;
    ++dropped_;
  }

  std::size_t capacity_;
  std::deque<Entry> entries_;
  std::size_t faces_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace fer
