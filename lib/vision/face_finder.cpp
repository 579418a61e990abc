#include "vision/face_finder.h"

#include <algorithm>
#include <cmath>

#include "vision/detector_backends.h"
#include "vision/read_region.h"
#include "vision/scene_cut.h"
#include "vision/shown_frame.h"
#include "vision/turned_faces.h"

namespace fer {
namespace {

// Weaker detections carry on tracks that are there (see TrackerConfig), so that ids hold through
// blur and turned heads.
constexpr float kWeakShare = 0.5f;

constexpr double kUsualFrameRate = 30;

/// Seconds of lost frames after which no face is taken for the same.
constexpr int kLongestPause = 10;

/// Of the picture by which scenes are told apart where the detector has none.
const cv::Size kThumbnail(64, 36);

}  // namespace

FaceFinder::FaceFinder(std::unique_ptr<Detector> detector)
    : detector_(std::move(detector)),
      scenes_(std::make_unique<SceneCut>()),
      turned_(std::make_unique<TurnedFaces>(*detector_)) {
  configure({});
}

FaceFinder::~FaceFinder() = default;

void FaceFinder::configure(const FaceFinderConfig& config) {
  if (config_.tracking && !config.tracking) tracker_.reset();
  config_ = config;
  TrackerConfig tracker;
  tracker.high_score = config.threshold;
  // A face may be out of sight for a second, and always for two runs in a row.
  tracker.max_age = std::max(frames_in_a_second(), 3 * config.interval);
  tracker.settle_runs = std::max(frames_in_a_second() / std::max(1, config.interval), 5);
  tracker_.configure(tracker);
}

int FaceFinder::frames_in_a_second() const {
  const double rate = config_.frame_rate > 0 ? config_.frame_rate : kUsualFrameRate;
  return static_cast<int>(std::lround(std::clamp(rate, 3., 240.)));
}

int FaceFinder::runs_in_a_second() const {
  return std::max(1, frames_in_a_second() / std::max(1, config_.interval));
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

void FaceFinder::end_tracks_at_a_cut(const FrameView& frame) {
  cv::Mat thumbnail;
  const cv::Mat* picture = detector_->picture();
  if (picture == nullptr) {
    if (frame.data[0] == nullptr) return;
    read_shown(frame, kThumbnail, Colour::kGrey, thumbnail);
    picture = &thumbnail;
  }
  if (!scenes_->begins(*picture)) return;
  tracker_.reset();
  ++cuts_;
  turned_->look_anew();
  // The next run looks for the new scene's small faces.
  frames_since_closer_run_ = config_.small_face_interval;
}

std::vector<TrackedFace> FaceFinder::detect(const FrameView& frame) {
  DetectorConfig config;
  config.score_threshold = config_.tracking ? config_.threshold * kWeakShare : config_.threshold;
  config.detect_width = config_.detect_width;
  config.min_face_size = config_.min_face_size;
  config.max_faces = config_.max_faces;
  config.small_faces = looks_for_small_faces();
  std::vector<Face> found = detector_->detect(frame, config);
  if (fresh_) turned_->look_anew();
  fresh_ = false;
  frames_since_run_ = 0;
  frames_since_closer_run_ = config.small_faces ? 0 : frames_since_closer_run_ + 1;
  std::vector<TrackedFace> faces;
  if (!config_.tracking) {
    for (const Face& face : found) faces.push_back({face, 0});
    return faces;
  }
  end_tracks_at_a_cut(frame);
  // What only a closer look shows is not gone because a run without one does not.
  float missable = 0;
  if (config_.small_face_interval > 0 && !config.small_faces) {
    missable = detector_->small_face() * static_cast<float>(shown_size(geometry_of(frame)).width) /
               static_cast<float>(detection_size(frame, config).width);
  }
  const bool turned = config_.rolled_faces && detector_->has_landmarks();
  if (turned)
    turned_->add(frame, config, config_.threshold, tracker_.expected(), runs_in_a_second(), found);
  faces = tracker_.update(found, missable);
  if (turned) turned_->turn_upright(frame, runs_in_a_second(), faces, tracker_);
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
  if (frames > kLongestPause * frames_in_a_second()) {
    reset();
  } else if (frames > frames_in_a_second()) {
    tracker_.pause();
    fresh_ = true;
  } else {
    for (int i = 0; i < frames; ++i) predict();
  }
}

void FaceFinder::scale(float factor) {
  tracker_.scale(factor);
}

void FaceFinder::reset() {
  tracker_.reset();
  scenes_->reset();
  fresh_ = true;
  frames_since_run_ = 0;
}

}  // namespace fer
