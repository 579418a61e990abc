#include "learn/detection/detection_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "vision/detection_grid.h"

namespace fer {
namespace {

constexpr double kFound = 0.5;
/// A find does not count where this share of it lies in a face that does not count.
constexpr double kInside = 0.5;

float points_error_of(const SceneFace& face, const FoundFace& find) {
  const auto distance = [](float dx, float dy) { return std::hypot(dx, dy); };
  const auto& p = face.points;
  const float eyes = distance(p[0] - p[2], p[1] - p[3]);
  if (!find.has_points || eyes <= 0) return -1;
  float sum = 0;
  for (std::size_t k = 0; k < p.size(); k += 2)
    sum += distance(p[k] - find.points[k], p[k + 1] - find.points[k + 1]);
  return sum / 5 / eyes;
}

}  // namespace

void DetectionScore::add(std::span<const SceneFace> faces, std::vector<FoundFace> finds,
                         double scale) {
  ++photos_;
  empty_photos_ += faces.empty();
  std::stable_sort(finds.begin(), finds.end(),
                   [](const FoundFace& a, const FoundFace& b) { return a.score > b.score; });
  const auto counts = [&](const SceneFace& face) {
    return face.sure && face.height * scale >= min_height_;
  };
  faces_ += static_cast<std::size_t>(std::count_if(faces.begin(), faces.end(), counts));
  std::vector<bool> taken(faces.size());
  for (const FoundFace& find : finds) {
    std::size_t best = faces.size();
    double overlap = kFound;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      if (taken[i] || !counts(faces[i])) continue;
      const double iou = box_iou(find, faces[i]);
      if (iou < overlap) continue;
      overlap = iou;
      best = i;
    }
    if (best < faces.size()) {
      taken[best] = true;
      finds_.push_back({find.score, true, false, points_error_of(faces[best], find)});
      continue;
    }
    const double area = static_cast<double>(find.width) * find.height;
    const bool excused = std::any_of(faces.begin(), faces.end(), [&](const SceneFace& face) {
      return !counts(face) &&
             (box_iou(find, face) >= kFound || shared_area(find, face) > kInside * area);
    });
    if (!excused) finds_.push_back({find.score, false, faces.empty(), -1});
  }
  sorted_ = false;
}

const std::vector<DetectionScore::Find>& DetectionScore::ordered() const {
  if (!sorted_) {
    std::stable_sort(finds_.begin(), finds_.end(),
                     [](const Find& a, const Find& b) { return a.score > b.score; });
    sorted_ = true;
  }
  return finds_;
}

double DetectionScore::recall(double score) const {
  const auto right = std::count_if(finds_.begin(), finds_.end(), [&](const Find& find) {
    return find.right && find.score >= score;
  });
  return faces_ > 0 ? static_cast<double>(right) / static_cast<double>(faces_) : 0;
}

double DetectionScore::precision(double score) const {
  double right = 0, all = 0;
  for (const Find& find : finds_) {
    if (find.score < score) continue;
    ++all;
    right += find.right;
  }
  return all > 0 ? right / all : 1;
}

double DetectionScore::false_alarms(double score) const {
  const auto wrong = std::count_if(finds_.begin(), finds_.end(), [&](const Find& find) {
    return find.on_empty && find.score >= score;
  });
  return empty_photos_ > 0 ? static_cast<double>(wrong) / static_cast<double>(empty_photos_) : 0;
}

std::vector<double> DetectionScore::points_errors(double score) const {
  std::vector<double> errors;
  for (const Find& find : finds_)
    if (find.right && find.score >= score && find.points_error >= 0)
      errors.push_back(find.points_error);
  return errors;
}

double DetectionScore::points_error(double score) const {
  const std::vector<double> errors = points_errors(score);
  if (errors.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(errors.size());
}

double DetectionScore::points_error_median(double score) const {
  std::vector<double> errors = points_errors(score);
  if (errors.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::nth_element(errors.begin(), middle, errors.end());
  return *middle;
}

double DetectionScore::average_precision() const {
  if (faces_ == 0) return 0;
  const std::vector<Find>& finds = ordered();
  std::vector<double> precision(finds.size());
  double right = 0;
  for (std::size_t i = 0; i < finds.size(); ++i) {
    right += finds[i].right;
    precision[i] = right / static_cast<double>(i + 1);
  }
  double area = 0, best = 0;
  for (std::size_t i = finds.size(); i-- > 0;) {
    best = std::max(best, precision[i]);
    if (finds[i].right) area += best;
  }
  return area / static_cast<double>(faces_);
}

double DetectionScore::best_score() const {
  const std::vector<Find>& finds = ordered();
  double right = 0, best = 0, score = 0.5;
  for (std::size_t i = 0; i < finds.size(); ++i) {
    right += finds[i].right;
    // F1 = 2 right / (finds + faces).
    const double f1 = 2 * right / static_cast<double>(i + 1 + faces_);
    if (f1 <= best) continue;
    best = f1;
    score = finds[i].score;
  }
  return score;
}

double DetectionScore::score_at(double false_alarms) const {
  double allowed = false_alarms * static_cast<double>(empty_photos_);
  for (const Find& find : ordered()) {
    if (!find.on_empty) continue;
    if (allowed < 1) return std::nextafter(find.score, std::numeric_limits<float>::max());
    --allowed;
  }
  return 0;
}

}  // namespace fer
