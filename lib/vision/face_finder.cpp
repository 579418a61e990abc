#include "vision/face_finder.h"

#include <algorithm>
#include <cmath>

#include "vision/detector_backends.h"

namespace fer {
namespace {

// Weaker detections carry on tracks that are there (see TrackerConfig), so that ids hold through
// blur and turned heads.
constexpr float kWeakShare = 0.5f;

constexpr double kUsualFrameRate = 30;

}  // namespace

FaceFinder::FaceFinder(std::unique_ptr<Detector> detector) : detector_(std::move(detector)) {
  configure({});
}

void FaceFinder::configure(const FaceFinderConfig& config) {
  if (config_.tracking && !config.tracking) tracker_.reset();
  config_ = config;
  TrackerConfig tracker;
  tracker.high_score = config.threshold;
  // A face may be out of sight for a second, and always for two runs in a row.
  tracker.max_age = std::max(frames_in_a_second(), 3 * config.interval);
  tracker_.configure(tracker);
}

int FaceFinder::frames_in_a_second() const {
  const double rate = config_.frame_rate > 0 ? config_.frame_rate : kUsualFrameRate;
  return static_cast<int>(std::lround(std::clamp(rate, 10., 240.)));
}

bool FaceFinder::due() const {
  return fresh_ || frames_since_run_ + 1 >= config_.interval;
}

bool FaceFinder::may_skip() const {
  return !fresh_ && frames_since_run_ + 1 < std::max(frames_in_a_second(), config_.interval);
}

bool FaceFinder::looks_for_small_faces() const {
  return config_.small_face_interval > 0 && detector_->small_face() > 0 &&
         (fresh_ || !config_.tracking ||
          frames_since_closer_run_ + 1 >= config_.small_face_interval);
}

std::vector<TrackedFace> FaceFinder::detect(const FrameView& frame) {
  DetectorConfig config;
  config.score_threshold = config_.tracking ? config_.threshold * kWeakShare : config_.threshold;
  config.detect_width = config_.detect_width;
  config.min_face_size = config_.min_face_size;
  config.max_faces = config_.max_faces;
  config.small_faces = looks_for_small_faces();
  const std::vector<Face> found = detector_->detect(frame, config);
  fresh_ = false;
  frames_since_run_ = 0;
  frames_since_closer_run_ = config.small_faces ? 0 : frames_since_closer_run_ + 1;
  std::vector<TrackedFace> faces;
  if (!config_.tracking) {
    for (const Face& face : found) faces.push_back({face, 0});
    return faces;
  }
  // What only a closer look shows is not gone because a run without one does not.
  float missable = 0;
  if (config_.small_face_interval > 0 && !config.small_faces) {
    missable = detector_->small_face() * static_cast<float>(frame.width) /
               static_cast<float>(detection_size(frame, config).width);
  }
  faces = tracker_.update(found, missable);
  const auto max = static_cast<std::size_t>(config_.max_faces);
  if (max > 0 && faces.size() > max) faces.resize(max);
  return faces;
}

std::vector<TrackedFace> FaceFinder::predict() {
  ++frames_since_run_;
  ++frames_since_closer_run_;
  return config_.tracking ? tracker_.predict() : std::vector<TrackedFace>();
}

void FaceFinder::miss(int frames) {
  if (frames > frames_in_a_second()) {
    reset();
    return;
  }
  for (int i = 0; i < frames; ++i) predict();
}

void FaceFinder::reset() {
  tracker_.reset();
  fresh_ = true;
  frames_since_run_ = 0;
}

}  // namespace fer
