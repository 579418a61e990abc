// What waits for a learner's thread. Free of LibTorch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "stream/face_sample.h"

namespace fer {

/// Faces of streams, and ends of streams, in the order in which they came. Bounded: a face pushes
/// the oldest one out. Not thread-safe.
class LearnerQueue {
 public:
  struct Entry {
    FaceSample face;
    bool end = false;  ///< Nothing but the end of face.source.
  };

  /// Faces of streams that wait, at most.
  explicit LearnerQueue(std::size_t capacity) : capacity_(capacity) {}

  /// False where there is no memory for it.
  bool push_face(FaceSample face) noexcept {
    try {
      if (faces_ >= capacity_) drop_oldest();
      entries_.push_back({std::move(face), /*end=*/false});
      ++faces_;
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  void push_end(const std::string& source) {
    // One end is enough until a face of the source follows: else ends alone could fill the queue.
    const auto last = std::find_if(entries_.rbegin(), entries_.rend(),
                                   [&](const Entry& entry) { return entry.face.source == source; });
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
  std::size_t faces() const { return faces_; }        ///< Of streams, that wait.
  std::uint64_t dropped() const { return dropped_; }  ///< Faces of streams that were pushed out.

 private:
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
