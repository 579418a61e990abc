// Decodes the outputs of the YuNet networks into faces.
#pragma once

#include <array>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "vision/face.h"

namespace fer {

/// The two networks of the OpenCV Zoo that go by the name of YuNet.
enum class YuNetRelease {
  kMarch2022,  ///< face_detection_yunet_2022mar.onnx: anchors, as SSD has them.
  kMarch2023,  ///< face_detection_yunet_2023mar.onnx: no anchors, one guess a cell.
};

inline constexpr std::array kYuNetReleases{YuNetRelease::kMarch2022, YuNetRelease::kMarch2023};

/// Sides of a network's input are multiples of this, and at least kYuNetLeastSide: below, a pooled
/// map of the 2022 network becomes empty.
inline constexpr int kYuNetStride = 32;
inline constexpr int kYuNetLeastSide = 128;

/// Names of the network's outputs, in the order in which yunet_faces() takes them.
const std::vector<std::string>& yunet_output_names(YuNetRelease release);

/// Empty where the outputs have the right shapes for an input of this size, else the fault.
std::string yunet_wrong_shape(YuNetRelease release, const std::vector<cv::Mat>& outputs,
                              cv::Size input);

/// All candidates with at least this score, in pixels of the input; a face has many. The outputs
/// must have the right shapes.
std::vector<Face> yunet_faces(YuNetRelease release, const std::vector<cv::Mat>& outputs,
                              cv::Size input, float min_score);

}  // namespace fer
