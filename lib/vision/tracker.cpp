#include "vision/tracker.h"

#include <algorithm>
#include <cmath>

#include "vision/assignment.h"
#include "vision/box_filter.h"

namespace fer {
namespace {

/// A face that so many runs in a row have found is missed because it is gone.
constexpr int kSurelyFound = 3;

/// Overlap with where it was by which a face is the same after a pause.
constexpr double kSamePlace = 0.5;

struct Track {
  explicit Track(const Face& detection)
      : filter(detection.box),
        face{detection, 0},
        filtered_at_sight(filter.box()),
        mean_score(detection.score) {}

  BoxFilter filter;
  TrackedFace face;              ///< As last detected; its id is 0 until it is first reported.
  cv::Rect2f filtered_at_sight;  ///< The filter's box at that time.
  int hits = 1;                  ///< Detections so far.
  int unseen = 0;                ///< Frames since the last one.
  bool in_sight = true;          ///< Seen when the detector last ran.
  int consecutive_hits = 0;      ///< Runs that found it, of those that miss faces of its size.
  float mean_score;              ///< Over about the last half second of its detections.
  int weak_runs = 0;             ///< Detections since the mean was high enough.
  bool paused = false;           ///< No update() since Tracker::pause().

  void advance() {
    filter.predict(in_sight);
    ++unseen;
  }

  /// Takes the detection's score into the mean.
  void rate(float score, const TrackerConfig& config) {
    const float share = 2.f / static_cast<float>(std::max(2, config.settle_runs));
    mean_score += share * (score - mean_score);
    weak_runs = mean_score < config.high_score ? weak_runs + 1 : 0;
  }

  void see(const Face& detection) {
    filter.correct(detection.box);
    const std::uint64_t id = face.track_id;
    face = {detection, id};
    filtered_at_sight = filter.box();
    ++hits;
    unseen = 0;
    in_sight = true;
    paused = false;
  }
};

bool usable(const Face& face) {
  const cv::Rect2f& box = face.box;
  return std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) &&
         std::isfinite(box.height) && box.width > 0 && box.height > 0 && std::isfinite(face.score);
}

double overlap(const cv::Rect2f& a, const cv::Rect2f& b) {
  const cv::Rect2d first(a), second(b);
  const double both = (first & second).area();
  return both > 0 ? both / (first.area() + second.area() - both) : 0;
}

/// The face as last detected, moved and scaled as its filter has moved since. The detection itself,
/// not the filter's smoothed box, is the ground: what is reported does not jump between frames with
/// and without a detector run.
TrackedFace moved(const Track& track) {
  const cv::Rect2f from = track.filtered_at_sight, to = track.filter.box();
  const cv::Point2f old_centre = (from.tl() + from.br()) / 2, new_centre = (to.tl() + to.br()) / 2;
  const float wider = to.width / from.width, higher = to.height / from.height;
  const auto move = [&](const cv::Point2f& point) {
    const cv::Point2f arm = point - old_centre;
    return new_centre + cv::Point2f(arm.x * wider, arm.y * higher);
  };
  TrackedFace face = track.face;
  face.box = {move(face.box.tl()), move(face.box.br())};
  if (face.landmarks) {
    for (cv::Point2f& point : *face.landmarks) point = move(point);
  }
  return face;
}

}  // namespace

struct Tracker::State {
  TrackerConfig config;
  std::vector<Track> tracks;
  std::uint64_t next_id = 1;

  /// Reported from here on: has been seen often enough. Gives it its id.
  bool confirm(Track& track) {
    if (track.face.track_id == 0 && track.hits >= config.min_hits) {
      track.face.track_id = next_id++;
    }
    return track.face.track_id != 0;
  }

  /// Whether its scores have been too low for too long.
  bool is_false_start(const Track& track) const { return track.weak_runs > config.settle_runs; }

  /// Whether a track that no detection went to may be there all the same: it is too small to be
  /// surely found, and no detection that starts a track lies on it.
  bool may_be_there(const Track& track, float missable, const std::vector<Face>& detections,
                    const std::vector<int>& new_ones) const {
    if (track.face.track_id == 0 || track.unseen > config.max_age ||
        track.consecutive_hits >= kSurelyFound)
      return false;
    const cv::Rect2f box = track.filter.box();
    return box.height < missable && std::none_of(new_ones.begin(), new_ones.end(), [&](int d) {
             return overlap(box, detections[d].box) > 0;
           });
  }

  /// Matches the named tracks with the named detections by overlap and takes what was matched off
  /// both lists. `track_of` tells for a detection the track it went to.
  void match(const std::vector<Face>& detections, std::vector<int>& free_tracks,
             std::vector<int>& free_detections, std::vector<int>& track_of) {
    std::vector<double> gain;
    gain.reserve(free_tracks.size() * free_detections.size());
    for (const int t : free_tracks) {
      const cv::Rect2f expected = tracks[t].filter.box();
      for (const int d : free_detections) {
        const double iou = overlap(expected, detections[d].box);
        const double least = tracks[t].paused ? kSamePlace : static_cast<double>(config.match_iou);
        gain.push_back(iou >= least ? iou : 0);
      }
    }
    const std::vector<int> assigned = best_assignment(gain, static_cast<int>(free_tracks.size()),
                                                      static_cast<int>(free_detections.size()));
    std::vector<int> tracks_left;
    for (std::size_t i = 0; i < free_tracks.size(); ++i) {
      if (assigned[i] < 0) {
        tracks_left.push_back(free_tracks[i]);
      } else {
        const int d = free_detections[assigned[i]];
        track_of[d] = free_tracks[i];
        tracks[free_tracks[i]].see(detections[d]);
        tracks[free_tracks[i]].rate(detections[d].score, config);
      }
    }
    free_tracks = std::move(tracks_left);
    std::erase_if(free_detections, [&](int d) { return track_of[d] >= 0; });
  }
};

Tracker::Tracker(const TrackerConfig& config) : state_(std::make_unique<State>()) {
  state_->config = config;
}

Tracker::~Tracker() = default;

void Tracker::configure(const TrackerConfig& config) {
  state_->config = config;
}

std::vector<TrackedFace> Tracker::update(const std::vector<Face>& detections, float missable) {
  State& s = *state_;
  for (Track& track : s.tracks) track.advance();

  std::vector<int> strong, weak, track_of(detections.size(), -1);
  for (std::size_t d = 0; d < detections.size(); ++d) {
    if (!usable(detections[d])) continue;
    (detections[d].score >= s.config.high_score ? strong : weak).push_back(static_cast<int>(d));
  }

  // Strong detections go to tracks in sight and out of it alike; weak ones only carry on a track
  // that was there a moment ago: elsewhere they are more likely clutter.
  std::vector<int> free_tracks(s.tracks.size());
  for (std::size_t t = 0; t < s.tracks.size(); ++t) free_tracks[t] = static_cast<int>(t);
  s.match(detections, free_tracks, strong, track_of);
  const auto lost = std::stable_partition(free_tracks.begin(), free_tracks.end(),
                                          [&](int t) { return s.tracks[t].in_sight; });
  free_tracks.erase(lost, free_tracks.end());
  s.match(detections, free_tracks, weak, track_of);
  std::vector<TrackedFace> believed;
  for (const int t : free_tracks) {
    Track& track = s.tracks[t];
    track.in_sight = s.may_be_there(track, missable, detections, strong);
    track.consecutive_hits = 0;
    if (track.in_sight && !s.is_false_start(track)) believed.push_back(moved(track));
  }

  for (const int d : strong) {
    track_of[d] = static_cast<int>(s.tracks.size());
    s.tracks.emplace_back(detections[d]);
  }

  std::vector<TrackedFace> seen;
  for (const int t : track_of) {
    if (t < 0) continue;
    if (missable > 0) ++s.tracks[t].consecutive_hits;
    if (s.confirm(s.tracks[t]) && !s.is_false_start(s.tracks[t])) seen.push_back(s.tracks[t].face);
  }
  seen.insert(seen.end(), believed.begin(), believed.end());
  // A track that was never reported is given up at its first miss.
  std::erase_if(s.tracks, [&](const Track& track) {
    return track.paused ||
           (!track.in_sight && (track.face.track_id == 0 || track.unseen > s.config.max_age));
  });
  return seen;
}

std::vector<TrackedFace> Tracker::expected() const {
  std::vector<TrackedFace> faces;
  for (Track track : state_->tracks) {
    if (!track.in_sight || track.face.track_id == 0 || state_->is_false_start(track)) continue;
    track.advance();
    faces.push_back(moved(track));
  }
  return faces;
}

std::vector<TrackedFace> Tracker::predict() {
  std::vector<TrackedFace> believed;
  for (Track& track : state_->tracks) {
    track.advance();
    if (track.in_sight && track.face.track_id != 0 && !state_->is_false_start(track))
      believed.push_back(moved(track));
  }
  return believed;
}

void Tracker::correct(std::uint64_t track_id, const std::optional<Landmarks>& landmarks,
                      bool clear) {
  for (Track& track : state_->tracks) {
    // A face between two closer looks was reported moved already; kept here, its landmarks would
    // move again and again.
    if (track.face.track_id != track_id || track.unseen > 0) continue;
    track.face.landmarks = landmarks;
    track.face.clear = clear;
  }
}

void Tracker::pause() {
  for (Track& track : state_->tracks) {
    track.filter.stop();
    track.filtered_at_sight = track.filter.box();
    track.paused = true;
  }
}

void Tracker::scale(float factor) {
  if (!(factor > 0) || !std::isfinite(factor)) return;
  for (Track& track : state_->tracks) {
    track.filter.scale(static_cast<double>(factor));
    cv::Rect2f& box = track.face.box;
    box = {box.x * factor, box.y * factor, box.width * factor, box.height * factor};
    if (track.face.landmarks) {
      for (cv::Point2f& point : *track.face.landmarks) point *= factor;
    }
    track.filtered_at_sight = track.filter.box();
  }
}

void Tracker::reset() {
  state_->tracks.clear();
}

}  // namespace fer
