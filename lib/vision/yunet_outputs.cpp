#include "vision/yunet_outputs.h"

#include <algorithm>
#include <cmath>

namespace fer {
namespace {

constexpr int kLandmarks = 5;

/// The geometric mean of two shares, as both releases score a face.
float joint_score(float face, float quality) {
  return std::sqrt(std::clamp(face, 0.f, 1.f) * std::clamp(quality, 0.f, 1.f));
}

Face make_face(cv::Point2f centre, float width, float height, float score) {
  Face face;
  face.box = {centre.x - width / 2, centre.y - height / 2, width, height};
  face.score = score;
  return face;
}

// --- March 2022.

/// Anchors of one map: squares of these sides, in pixels of the input, around the middle of a cell.
struct AnchorMap {
  int stride;
  std::vector<float> sides;
};
const AnchorMap kAnchorMaps[] = {
    {8, {10, 16, 24}}, {16, {32, 48}}, {32, {64, 96}}, {64, {128, 192, 256}}};

// How the network scales what it says of an anchor, as SSD does; of the height with another factor
// than of the width.
constexpr float kCentreScale = 0.1f, kWidthScale = 0.1f, kHeightScale = 0.2f;
constexpr int kLocValues = 4 + 2 * kLandmarks;

/// Calls `body(index, centre, side)` for each anchor in the order of the outputs' rows.
template <typename Body>
void for_each_anchor(cv::Size input, Body&& body) {
  int index = 0;
  for (const AnchorMap& map : kAnchorMaps) {
    for (int y = 0; y < input.height / map.stride; ++y) {
      for (int x = 0; x < input.width / map.stride; ++x) {
        const cv::Point2f centre((static_cast<float>(x) + 0.5f) * static_cast<float>(map.stride),
                                 (static_cast<float>(y) + 0.5f) * static_cast<float>(map.stride));
        for (const float side : map.sides) body(index++, centre, side);
      }
    }
  }
}

std::vector<Face> faces_2022(const std::vector<cv::Mat>& outputs, cv::Size input, float min_score) {
  const auto* loc = outputs[0].ptr<float>();
  const auto* conf = outputs[1].ptr<float>();  // no face, face
  const auto* iou = outputs[2].ptr<float>();
  std::vector<Face> faces;
  for_each_anchor(input, [&](int i, cv::Point2f anchor, float side) {
    const float score = joint_score(conf[2 * i + 1], iou[i]);
    if (!(score >= min_score)) return;
    const float* at = loc + kLocValues * i;
    const auto point = [&](const float* offset) {
      return anchor + cv::Point2f(offset[0], offset[1]) * (kCentreScale * side);
    };
    Face face = make_face(point(at), side * std::exp(at[2] * kWidthScale),
                          side * std::exp(at[3] * kHeightScale), score);
    Landmarks& landmarks = face.landmarks.emplace();
    for (int k = 0; k < kLandmarks; ++k)
      landmarks[static_cast<std::size_t>(k)] = point(at + 4 + 2 * k);
    faces.push_back(face);
  });
  return faces;
}

// --- March 2023.

constexpr int kStrides[] = {8, 16, 32};

std::vector<Face> faces_2023(const std::vector<cv::Mat>& outputs, cv::Size input, float min_score) {
  std::vector<Face> faces;
  for (std::size_t map = 0; map < std::size(kStrides); ++map) {
    const auto* cls = outputs[map].ptr<float>();
    const auto* obj = outputs[map + 3].ptr<float>();
    const auto* box = outputs[map + 6].ptr<float>();
    const auto* points = outputs[map + 9].ptr<float>();
    const auto stride = static_cast<float>(kStrides[map]);
    const int columns = input.width / kStrides[map], rows = input.height / kStrides[map];
    for (int i = 0; i < rows * columns; ++i) {
      const float score = joint_score(cls[i], obj[i]);
      if (!(score >= min_score)) continue;
      const cv::Point2f cell(static_cast<float>(i % columns), static_cast<float>(i / columns));
      const auto point = [&](const float* offset) {
        return (cell + cv::Point2f(offset[0], offset[1])) * stride;
      };
      const float* at = box + 4 * i;
      Face face = make_face(point(at), stride * std::exp(at[2]), stride * std::exp(at[3]), score);
      Landmarks& landmarks = face.landmarks.emplace();
      for (int k = 0; k < kLandmarks; ++k) {
        landmarks[static_cast<std::size_t>(k)] = point(points + 2 * kLandmarks * i + 2 * k);
      }
      faces.push_back(face);
    }
  }
  return faces;
}

/// How many values each output has, in the order of yunet_output_names().
std::vector<std::size_t> sizes_of(YuNetRelease release, cv::Size input) {
  if (release == YuNetRelease::kMarch2022) {
    std::size_t anchors = 0;
    for_each_anchor(input, [&](int, cv::Point2f, float) { ++anchors; });
    return {anchors * kLocValues, anchors * 2, anchors};
  }
  std::vector<std::size_t> sizes;
  for (const int values : {1, 1, 4, 2 * kLandmarks}) {
    for (const int stride : kStrides) {
      sizes.push_back(static_cast<std::size_t>(input.width / stride) *
                      static_cast<std::size_t>(input.height / stride) *
                      static_cast<std::size_t>(values));
    }
  }
  return sizes;
}

}  // namespace

const std::vector<std::string>& yunet_output_names(YuNetRelease release) {
  static const std::vector<std::string> of_2022 = {"loc", "conf", "iou"};
  static const std::vector<std::string> of_2023 = {"cls_8",   "cls_16", "cls_32", "obj_8",
                                                   "obj_16",  "obj_32", "bbox_8", "bbox_16",
                                                   "bbox_32", "kps_8",  "kps_16", "kps_32"};
  return release == YuNetRelease::kMarch2022 ? of_2022 : of_2023;
}

std::string yunet_wrong_shape(YuNetRelease release, const std::vector<cv::Mat>& outputs,
                              cv::Size input) {
  const std::vector<std::size_t> sizes = sizes_of(release, input);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const cv::Mat& output = outputs.at(i);
    if (output.type() != CV_32F || output.total() != sizes[i] || !output.isContinuous()) {
      return "a network whose output " + yunet_output_names(release)[i] + " has " +
             std::to_string(output.total()) + " values in place of " + std::to_string(sizes[i]);
    }
  }
  return {};
}

std::vector<Face> yunet_faces(YuNetRelease release, const std::vector<cv::Mat>& outputs,
                              cv::Size input, float min_score) {
  return release == YuNetRelease::kMarch2022 ? faces_2022(outputs, input, min_score)
                                             : faces_2023(outputs, input, min_score);
}

}  // namespace fer
