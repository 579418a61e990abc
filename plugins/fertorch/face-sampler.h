// Which of the faces in a stream are looked at: a track shows nearly the same face in every frame.
#pragma once

#include <gst/gst.h>

#include <map>
#include <vector>

#include "face-meta.h"

namespace fer {

/// Picks every track's face once an interval. A bounded number of tracks is kept in mind. Used from
/// one thread.
class FaceSampler {
 public:
  /// The most tracks that are kept in mind; beyond, all are forgotten.
  static constexpr std::size_t kMaxTracks = 1024;

  /// The faces that are due at this time. Those that are not tracked are due together, as if they
  /// were one track. Time that runs backwards makes all of them due.
  std::vector<FaceRecord*> due(std::vector<FaceRecord>& faces, GstClockTime time,
                               GstClockTime interval);

  void clear() { taken_.clear(); }

 private:
  std::map<guint64, GstClockTime> taken_;  ///< Track → when its face was last picked.
};

}  // namespace fer
