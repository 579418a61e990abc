// When to detect and when to predict: a detector and a tracker on the frames of one stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "export.h"
#include "vision/detector.h"
#include "vision/tracker.h"

namespace fer {

class SceneCut;
class TurnedFaces;

/// Settings of a FaceFinder. They may change between any two frames.
struct FaceFinderConfig {
  float threshold = 0.6f;     ///< Least score of a face that is not followed yet.
  float min_face_size = 0.f;  ///< Faces with a shorter side of fewer pixels are left out.
  int max_faces = 0;          ///< The best by score; 0: all.
  int detect_width = 640;     ///< Width in pixels that the detector sees a frame in.
  int interval = 1;           ///< The detector runs on each n-th frame.
  /// A run looks for small faces too (DetectorConfig::small_faces) where this many frames have
  /// passed since the last that did, each run without tracking; 0: none does.
  int small_face_interval = 30;
  /// Faces that are turned in the picture's plane are looked for, once a second, and looked at more
  /// closely as long as they are turned, so that their landmarks are right. Needs tracking and a
  /// detector with landmarks.
  bool rolled_faces = true;
  bool tracking = true;   ///< Off: faces have no ids, and frames without a detector run no faces.
  double frame_rate = 0;  ///< Frames a second; 0: not known.
};

/// Finds the faces of consecutive frames. For every frame ask due() and call detect() or predict().
/// Not thread-safe.
class FER_API FaceFinder {
 public:
  /// Finds by `detector`, which must not be null.
  explicit FaceFinder(std::unique_ptr<Detector> detector);
  ~FaceFinder();

  /// Changes the settings from the next frame on; tracks go on.
  void configure(const FaceFinderConfig& config);

  /// Whether the detector's turn has come.
  bool due() const;

  /// Whether a run that is due may be put off because the stream is behind. Tracks that are not
  /// seen for long drift, so that every second or so has its run.
  bool may_skip() const;

  /// The frame's faces, found in its pixels, best score first. Throws what the detector throws; the
  /// frame then still waits for its predict().
  std::vector<TrackedFace> detect(const FrameView& frame);

  /// Where the frame's faces are believed to be, without its pixels.
  std::vector<TrackedFace> predict();

  /// This many frames were lost on the way here. After more than a second of them a face is the
  /// same only where it was, after more than ten none is.
  void miss(int frames);

  /// The frames become so many times as large; nothing else changes.
  void scale(float factor);

  /// Forgets all tracks: what comes next does not continue what came before.
  void reset();

  /// Scene cuts so far, each of which ended all tracks.
  std::uint64_t cuts() const { return cuts_; }

  /// Of the detector, for logs.
  std::string detector_name() const { return detector_->name(); }

 private:
  int frames_in_a_second() const;
  void end_tracks_at_a_cut(const FrameView& frame);
  int runs_in_a_second() const;
  bool looks_for_small_faces() const;

  std::unique_ptr<Detector> detector_;
  Tracker tracker_;
  std::unique_ptr<SceneCut> scenes_;
  std::unique_ptr<TurnedFaces> turned_;
  std::uint64_t cuts_ = 0;
  FaceFinderConfig config_;
  bool fresh_ = true;                ///< No detector run since the last reset.
  int frames_since_run_ = 0;         ///< Frames after the last detector run.
  int frames_since_closer_run_ = 0;  ///< Frames after the last that looked for small faces.
};

}  // namespace fer
