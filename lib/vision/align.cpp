#include "vision/align.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <stdexcept>
#include <string>

#include "vision/crop_plan.h"
#include "vision/cut_crop.h"
#include "vision/frame_memory.h"
#include "vision/read_region.h"

namespace fer {
namespace {

// Medians of YuNet's landmarks on FER+ (48x48), made symmetric about the middle.
constexpr float kFerSide = 48.f;
const Landmarks kFerPoints = {
    cv::Point2f{14.8f, 18.45f}, {33.2f, 18.45f}, {24.0f, 28.8f}, {16.2f, 36.75f}, {31.8f, 36.75f}};

// ArcFace's template (Deng et al. 2019; InsightFace, face_align.py) for 112x112 crops.
constexpr float kArcFaceSide = 112.f;
const Landmarks kArcFacePoints = {cv::Point2f{38.2946f, 51.6963f},
                                  {73.5318f, 51.5014f},
                                  {56.0252f, 71.7366f},
                                  {41.5493f, 92.3655f},
                                  {70.7299f, 92.2041f}};

// Where the landmarks lie in an upright face's box, as shares of its sides: in boxes drawn tightly
// around the face (YuNet's) and in square ones (those of haarcascade_frontalface_alt2). Medians,
// made symmetric, of YuNet's landmarks on the 1300 upright frontal faces (eyes level within 10
// degrees, nose between them) among the first 2000 images of FER+ train, with a repeated border of
// a third of the image and enlarged 4x; 1193 of them have a Haar box that overlaps YuNet's by 0.4
// or more.
constexpr float kTightAspect = 0.78f;
const Landmarks kTightBoxPoints = {cv::Point2f{0.284f, 0.400f},
                                   {0.716f, 0.400f},
                                   {0.500f, 0.595f},
                                   {0.318f, 0.738f},
                                   {0.682f, 0.738f}};
const Landmarks kSquareBoxPoints = {cv::Point2f{0.312f, 0.402f},
                                    {0.688f, 0.402f},
                                    {0.500f, 0.614f},
                                    {0.342f, 0.775f},
                                    {0.658f, 0.775f}};

/// The landmarks of an average upright face in this box.
Landmarks landmarks_in_box(const cv::Rect2f& box) {
  // Between the two kinds of box, go over from one to the other without a jump.
  const float aspect = box.width / box.height;
  const float square = std::clamp((aspect - kTightAspect) / (1.f - kTightAspect), 0.f, 1.f);
  Landmarks points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const cv::Point2f share = kTightBoxPoints[i] * (1.f - square) + kSquareBoxPoints[i] * square;
    points[i] = {box.x + share.x * box.width, box.y + share.y * box.height};
  }
  return points;
}

// Faces smaller than this (square pixels, summed over the landmarks) or worse than this are not
// aligned by their landmarks.
constexpr double kMinSpread = 1e-2, kMinAgreement = 0.3;

// Coordinates beyond this are taken for garbage.
constexpr float kFarthest = 1e7f;

/// Least-squares similarity from `from` to `to` (Umeyama 1991; in two dimensions and without
/// mirroring it has a closed form). Empty where the points leave it undetermined.
cv::Mat fit_similarity(const Landmarks& from, const Landmarks& to) {
  const double n = static_cast<double>(from.size());
  cv::Point2d from_mean, to_mean;
  for (std::size_t i = 0; i < from.size(); ++i) {
    from_mean += cv::Point2d(from[i]) / n;
    to_mean += cv::Point2d(to[i]) / n;
  }
  double from_spread = 0, to_spread = 0, dot = 0, cross = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const cv::Point2d p = cv::Point2d(from[i]) - from_mean;
    const cv::Point2d q = cv::Point2d(to[i]) - to_mean;
    from_spread += p.dot(p);
    to_spread += q.dot(q);
    dot += p.dot(q);
    cross += p.cross(q);
  }
  // How well the two agree, 1 at best: points that are mirrored or in the wrong order come near 0,
  // a face in profile has 0.7. Negated, so that NaN fails too.
  const double agreement = std::hypot(dot, cross) / std::sqrt(from_spread * to_spread);
  if (!(from_spread > kMinSpread) || !(agreement > kMinAgreement)) return {};
  const double a = dot / from_spread, b = cross / from_spread;
  return (cv::Mat_<double>(2, 3) << a, -b, to_mean.x - a * from_mean.x + b * from_mean.y,  //
          b, a, to_mean.y - b * from_mean.x - a * from_mean.y);
}

/// Finite, at least a pixel, at most as large as coordinates go.
cv::Rect2f usable_box(const cv::Rect2f& box) {
  const auto within = [](float value, float min) {
    return std::isfinite(value) ? std::clamp(value, min, kFarthest) : min;
  };
  return {within(box.x, -kFarthest), within(box.y, -kFarthest), within(box.width, 1.f),
          within(box.height, 1.f)};
}

bool usable_landmarks(const Landmarks& points) {
  return std::all_of(points.begin(), points.end(), [](const cv::Point2f& point) {
    return std::abs(point.x) < kFarthest && std::abs(point.y) < kFarthest;
  });
}

void check_spec(const CropSpec& spec) {
  if (spec.width < 1 || spec.height < 1) {
    throw std::invalid_argument("a crop of " + std::to_string(spec.width) + "x" +
                                std::to_string(spec.height) + " has no pixels");
  }
}

/// How to cut the face out of the frame.
CropPlan plan_of(const FrameView& frame, const Face& face, const CropSpec& spec) {
  const cv::Mat to_crop = align_transform(face, spec);
  Affine2x3 transform;
  std::copy_n(to_crop.ptr<double>(), transform.size(), transform.begin());
  return plan_shown(frame, transform, {spec.width, spec.height});
}

FrameMemory::Picture picture_of(const CropSpec& spec) {
  return {spec.grey ? 1 : 3, spec.width, spec.height};
}

}  // namespace

AlignTemplate align_template_named(const std::string& name) {
  return name == "arcface" ? AlignTemplate::kArcFace : AlignTemplate::kFer;
}

Landmarks template_landmarks(const CropSpec& spec) {
  const bool fer = spec.align_template == AlignTemplate::kFer;
  const float square = static_cast<float>(std::min(spec.width, spec.height));
  const float used = square * (1.f - 2.f * std::clamp(spec.margin, 0.f, 0.49f));
  const float scale = used / (fer ? kFerSide : kArcFaceSide);
  const cv::Point2f origin((static_cast<float>(spec.width) - used) / 2,
                           (static_cast<float>(spec.height) - used) / 2);
  Landmarks points = fer ? kFerPoints : kArcFacePoints;
  for (cv::Point2f& point : points) point = point * scale + origin;
  return points;
}

cv::Mat align_transform(const Face& face, const CropSpec& spec) {
  const Landmarks to = template_landmarks(spec);
  cv::Mat transform;
  if (face.landmarks && usable_landmarks(*face.landmarks))
    transform = fit_similarity(*face.landmarks, to);
  if (transform.empty()) transform = fit_similarity(landmarks_in_box(usable_box(face.box)), to);
  return transform;
}

void crop_face(const FrameView& frame, const Face& face, const CropSpec& spec, cv::Mat& out) {
  check_frame(frame);
  check_spec(spec);
  cut_plan(frame, plan_of(frame, face, spec), {spec.width, spec.height},
           spec.grey ? Colour::kGrey : Colour::kRgb, out);
}

void crop_whole(const FrameView& frame, const CropSpec& spec, cv::Mat& out) {
  check_frame(frame);
  check_spec(spec);
  cv::Mat picture;
  read_shown(frame, {spec.width, spec.height}, spec.grey ? Colour::kGrey : Colour::kRgb, picture);
  picture.copyTo(out);  // `picture` may be the frame's own memory
}

void append_crops(const FrameView& frame, const std::vector<Face>& faces, const CropSpec& spec,
                  std::vector<std::uint8_t>& bytes) {
  if (!frame.memory) {
    cv::Mat crop;
    for (const Face& face : faces) {
      crop_face(frame, face, spec, crop);
      append_planar(crop, bytes);
    }
    return;
  }
  check_frame(frame);
  check_spec(spec);
  std::vector<CropPlan> plans;
  for (const Face& face : faces) plans.push_back(plan_of(frame, face, spec));
  const FrameMemory::Picture picture = picture_of(spec);
  const std::size_t begin = bytes.size();
  bytes.resize(begin + plans.size() * static_cast<std::size_t>(picture.bytes()));
  frame.memory->cut(frame, plans, picture, bytes.data() + begin);
}

void append_whole(const FrameView& frame, const CropSpec& spec, std::vector<std::uint8_t>& bytes) {
  cv::Mat crop;
  crop_whole(frame, spec, crop);
  append_planar(crop, bytes);
}

void append_planar(const cv::Mat& crop, std::vector<std::uint8_t>& bytes) {
  const std::size_t plane = crop.total(), begin = bytes.size();
  bytes.resize(begin + plane * static_cast<std::size_t>(crop.channels()));
  std::vector<cv::Mat> planes;
  for (std::size_t at = begin; at < bytes.size(); at += plane) {
    planes.emplace_back(crop.size(), CV_8UC1, bytes.data() + at);
  }
  cv::split(crop, planes);
}

}  // namespace fer
