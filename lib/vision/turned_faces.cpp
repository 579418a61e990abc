#include "vision/turned_faces.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vision/quarter_look.h"
#include "vision/shown_frame.h"

namespace fer {
namespace {

/// Detectors place the landmarks of a face that is turned by less than this as they are.
constexpr double kAboutUpright = 30;

/// Searches in one run, each of which takes as long as a fraction of the run: crowds wait their
/// turn.
constexpr int kMaxSearches = 2;

/// Turned tracks of one quarter that are followed one by one. For more of them, one look at the
/// whole picture takes less time.
constexpr int kMaxFollowed = 3;

/// New faces of turned pictures that are looked at once more, in one run. The rest wait their turn.
constexpr int kMaxConfirmed = 3;

/// Tracks whose turn is remembered, those out of sight included.
constexpr std::size_t kRollsKept = 256;

/// Finds that overlap by more are one face.
constexpr double kOneFace = 0.3;

/// How much surer than the threshold the detector must be of a new turned face, as a step of the
/// logit: looks at more pictures bring more chances of a false alarm. Chosen on photos that were
/// not trained on (docs/explanation/detector.md).
constexpr float kNewcomerStep = 0.8f;

/// A new face must be seen in the same place by the look at the whole and by that at it alone.
constexpr double kSeenAgain = 0.5;

/// A new face is none where so much of it or of another one is shared: chins, hair and collars make
/// faces of their own there.
constexpr double kLargestShared = 0.3;

/// By how much surer the detector must be of a turned face than of what it found upright there.
constexpr float kUprightLead = 0.1f;

double iou_of(const cv::Rect2f& a, const cv::Rect2f& b) {
  const double both = static_cast<double>((a & b).area());
  return both > 0 ? both / (static_cast<double>(a.area()) + static_cast<double>(b.area()) - both)
                  : 0;
}

/// The share of the smaller box that lies in the other.
double shared(const cv::Rect2f& a, const cv::Rect2f& b) {
  const double smaller = static_cast<double>(std::min(a.area(), b.area()));
  return smaller > 0 ? static_cast<double>((a & b).area()) / smaller : 0;
}

/// A score whose logit is higher by `step`.
float surer(float score, float step) {
  return score / (score + (1 - score) * std::exp(-step));
}

template <typename Faces, typename Box>
auto overlapping(Faces& faces, const cv::Rect2f& box, Box box_of) {
  return std::find_if(faces.begin(), faces.end(),
                      [&](const auto& face) { return iou_of(box_of(face), box) > kOneFace; });
}

/// Whether a look at the picture turned by `quarter` shows a face turned by `degrees` about
/// upright.
bool is_near(double degrees, int quarter) {
  return std::abs(std::remainder(degrees - quarter, 360.)) <= 45;
}

}  // namespace

const TurnedFaces::Roll* TurnedFaces::turned_roll(std::uint64_t track) const {
  const auto known = roll_of_.find(track);
  if (known == roll_of_.end()) return nullptr;
  const Roll& roll = known->second;
  return roll.clear && std::abs(roll.degrees) > kAboutUpright ? &roll : nullptr;
}

void TurnedFaces::look_anew() {
  anew_ = true;
}

void TurnedFaces::follow(const FrameView& frame, const std::vector<TrackedFace>& expected,
                         std::array<bool, kQuarters.size()>& whole) {
  std::array<int, kQuarters.size()> tracks{};
  for (const TrackedFace& face : expected) {
    const Roll* roll = turned_roll(face.track_id);
    for (std::size_t q = 0; roll && q < kQuarters.size(); ++q)
      tracks[q] += is_near(roll->degrees, kQuarters[q]);
  }
  for (std::size_t q = 0; q < kQuarters.size(); ++q)
    whole[q] = whole[q] || tracks[q] > kMaxFollowed;
  for (const TrackedFace& face : expected) {
    const Roll* roll = turned_roll(face.track_id);
    if (!roll) continue;
    bool in_whole = false;
    for (std::size_t q = 0; q < kQuarters.size(); ++q)
      in_whole = in_whole || (tracks[q] > kMaxFollowed && is_near(roll->degrees, kQuarters[q]));
    if (in_whole) continue;
    auto seen = rolls_.follow(frame, face, roll->degrees);
    if (!seen && searches_ < kMaxSearches) {
      ++searches_;
      seen = rolls_.search(frame, face);
    }
    if (seen && iou_of(seen->box, face.box) > kOneFace) seen_.push_back(*seen);
  }
}

void TurnedFaces::take(const RolledFace& seen, const FrameView& frame, std::vector<Face>& found) {
  const ShownSize shown = shown_size(geometry_of(frame));
  const cv::Rect2f whole(0, 0, static_cast<float>(shown.width), static_cast<float>(shown.height));
  RolledFace clipped = seen;
  clipped.box &= whole;
  if (clipped.box.empty()) return;
  std::erase_if(found, [&](const Face& face) { return iou_of(face.box, clipped.box) > kOneFace; });
  Face face;
  face.box = clipped.box;
  face.score = clipped.score;
  face.landmarks = clipped.landmarks;
  found.push_back(face);
  seen_.push_back(clipped);
}

void TurnedFaces::add(const FrameView& frame, const DetectorConfig& config, float threshold,
                      const std::vector<TrackedFace>& expected, int runs_in_a_second,
                      std::vector<Face>& found) {
  searches_ = 0;
  seen_.clear();
  // Each quarter once a second, at different times.
  std::array<bool, kQuarters.size()> whole{};
  for (std::size_t q = 0; q < kQuarters.size(); ++q) {
    if (anew_)
      runs_since_[q] = static_cast<int>(q) * runs_in_a_second / static_cast<int>(kQuarters.size());
    whole[q] = anew_ || ++runs_since_[q] >= runs_in_a_second;
    if (whole[q] && !anew_) runs_since_[q] = 0;
  }
  anew_ = false;
  follow(frame, expected, whole);
  const std::vector<RolledFace> followed = std::exchange(seen_, {});
  for (const RolledFace& face : followed) {
    const auto upright = overlapping(found, face.box, [](const Face& f) { return f.box; });
    if (upright == found.end() || face.score + kUprightLead >= upright->score)
      take(face, frame, found);
  }
  const auto is_known = [&](const cv::Rect2f& box) {
    return overlapping(seen_, box, [](const RolledFace& f) { return f.box; }) != seen_.end();
  };
  // Whether what was found upright leaves room for a turned face there.
  const auto is_free = [&](const RolledFace& face) {
    return std::none_of(found.begin(), found.end(), [&](const Face& other) {
      return shared(face.box, other.box) > kLargestShared &&
             face.score < other.score + kUprightLead;
    });
  };
  std::vector<RolledFace> candidates;
  for (std::size_t q = 0; q < kQuarters.size(); ++q) {
    if (!whole[q]) continue;
    const std::vector<RolledFace> seen = look_at_quarter(detector_, frame, config, kQuarters[q]);
    candidates.insert(candidates.end(), seen.begin(), seen.end());
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const RolledFace& a, const RolledFace& b) { return a.score > b.score; });
  const float newcomer = surer(threshold, kNewcomerStep);
  int confirmed = 0;
  for (RolledFace face : candidates) {
    if (is_known(face.box)) continue;
    const auto track = overlapping(expected, face.box, [](const TrackedFace& f) { return f.box; });
    if (track == expected.end() || !turned_roll(track->track_id)) {
      // A new one is looked at in all turns: it may be upside down in this one, and each look at
      // the whole brings a chance of a false alarm.
      if (face.score < newcomer || !is_free(face) || confirmed >= kMaxConfirmed) continue;
      ++confirmed;
      Face place;
      place.box = face.box;
      const auto again = rolls_.search(frame, place);
      if (!again || again->score < newcomer || iou_of(again->box, face.box) < kSeenAgain) continue;
      face = *again;
      if (is_known(face.box) || !is_free(face)) continue;
    }
    take(face, frame, found);
  }
}

void TurnedFaces::turn_upright(const FrameView& frame, int runs_in_a_second,
                               std::vector<TrackedFace>& faces, Tracker& tracker) {
  std::map<std::uint64_t, Roll> now;
  for (TrackedFace& face : faces) {
    // One that is only believed to be there has the landmarks of its last sight.
    if (!face.landmarks) continue;
    const auto known = roll_of_.find(face.track_id);
    Roll roll = known == roll_of_.end() ? Roll{} : known->second;
    std::optional<RolledFace> seen;
    const auto added = std::find_if(seen_.begin(), seen_.end(),
                                    [&](const RolledFace& one) { return one.box == face.box; });
    const bool was_added = added != seen_.end();
    if (was_added) {
      seen = *added;
      roll.clear = true;
      // Between whole looks nothing else would tell that it was not the best of all turns.
      ++roll.runs_since_search;
    }
    const bool turned = std::abs(roll.degrees) > kAboutUpright;
    const bool due =
        !was_added && (known == roll_of_.end() || ++roll.runs_since_search >= runs_in_a_second);
    const bool again = was_added && roll.runs_since_search >= runs_in_a_second;
    if ((again || (!seen && (due || turned))) && searches_ < kMaxSearches) {
      ++searches_;
      const auto best = rolls_.search(frame, face);
      roll.runs_since_search = 0;
      if (best || !was_added) {
        seen = best;
        roll.clear = best.has_value();
      }
    }
    if (seen) roll.degrees = seen->degrees;
    face.clear = roll.clear;
    if (seen && std::abs(seen->degrees) > kAboutUpright) face.landmarks = seen->landmarks;
    tracker.correct(face.track_id, face.landmarks, face.clear);
    // One whose turn has not come is new in the next run, too.
    if (known != roll_of_.end() || seen || !roll.clear) now[face.track_id] = roll;
  }
  // Tracks out of sight may come back, the latest most likely.
  for (auto old = roll_of_.rbegin(); old != roll_of_.rend() && now.size() < kRollsKept; ++old) {
    now.insert(*old);
  }
  roll_of_ = std::move(now);
}

}  // namespace fer
