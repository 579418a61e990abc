// Follows faces from frame to frame.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "export.h"
#include "vision/face.h"

namespace fer {

/// Settings of the tracker. Times are in frames.
struct TrackerConfig {
  /// Detections from here on are matched first and start tracks. Weaker ones carry tracks on: let
  /// the detector report them (DetectorConfig::score_threshold of 0.3, say) to have ids hold
  /// through blur.
  float high_score = 0.6f;
  float match_iou = 0.2f;  ///< Least overlap of a prediction and a detection.
  int max_age = 30;        ///< A track not seen for longer is forgotten.
  int min_hits = 1;        ///< Detections before a track is reported.
  /// A track whose mean score lies below high_score for so many runs of the detector is a false
  /// start (a logo, a pattern) and is reported no more, until its mean score is up again.
  int settle_runs = 30;
};

/// Multi-face tracking in the manner of SORT (Bewley et al. 2016: constant-velocity Kalman filter,
/// optimal assignment by overlap) and ByteTrack (Zhang et al. 2022: weak detections extend tracks
/// in a second round but start none). Not thread-safe.
class FER_API Tracker {
 public:
  /// A tracker without tracks.
  explicit Tracker(const TrackerConfig& config = {});
  ~Tracker();
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  /// Changes the settings from the next frame on; tracks go on.
  void configure(const TrackerConfig& config);

  /// One frame on which the detector ran: matches, corrects, starts and ends tracks. Returns the
  /// faces seen in this frame.
  ///
  /// `missable`: faces below this height are missed by chance. A track of one is believed to go on,
  /// and is reported so after those that were seen, for max_age at most, unless runs in which it
  /// could be missed have found it all the same.
  std::vector<TrackedFace> update(const std::vector<Face>& detections, float missable = 0);

  /// Where the next update() expects the faces that are in sight. Nothing changes.
  std::vector<TrackedFace> expected() const;

  /// One frame on which the detector did not run: moves every live track one step. Returns where
  /// they are believed to be; landmarks move along with the box.
  std::vector<TrackedFace> predict();

  /// Corrects what was last said of a track: its landmarks, which move along with its box from now
  /// on, and whether they are to be relied on.
  void correct(std::uint64_t track_id, const std::optional<Landmarks>& landmarks, bool clear);

  /// Time passed unseen, too much to say where faces have moved meanwhile. In the next update()
  /// tracks go on only where a face is found in the same place; the others end.
  void pause();

  /// The pictures become so many times as large, all coordinates with them.
  void scale(float factor);

  /// Forgets all tracks (a seek, a cut, pictures of another shape); ids go on counting.
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fer
