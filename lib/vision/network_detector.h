// Helpers that the network detectors share.
#pragma once

#include <memory>
#include <opencv2/dnn.hpp>
#include <vector>

#include "vision/detector_backends.h"

namespace fer {

/// Make a detector of a network whose outputs have the detector's names; null for other networks.
/// Throw std::runtime_error with the fault where an output has another shape than its name
/// promises, and cv::Exception where the network cannot be run.
std::unique_ptr<Detector> make_yunet(cv::dnn::Net network);
std::unique_ptr<Detector> make_grid_detector(cv::dnn::Net network);

/// Keeps the best candidate of each face, best first.
std::vector<Face> best_of(const std::vector<Face>& guesses);

/// From pixels of a picture of `size`, which shows the whole frame, to those of the frame as it is
/// shown. The faces must have landmarks.
void to_frame_pixels(const FrameView& frame, cv::Size size, std::vector<Face>& faces);

}  // namespace fer
