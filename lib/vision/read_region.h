// Reads a part of a raw frame as a small picture: shrink the planes first, convert afterwards.
#pragma once

#include <opencv2/core/mat.hpp>

#include "vision/crop_plan.h"
#include "vision/frame.h"

namespace fer {

/// Channels of the picture that read_region() makes.
enum class Colour { kGrey, kBgr, kRgb };

/// Throws std::invalid_argument where the view has no pixels, lacks a plane or has a stride too
/// short for its width.
void check_frame(const FrameView& frame);

/// Reads `region` (inside the frame, not empty) scaled to `size`: averages where it shrinks,
/// interpolates where it grows, converts no more than `size` pixels. `out` becomes CV_8UC1 for
/// kGrey, else CV_8UC3. It may alias the frame's memory where nothing had to be done: read only.
/// Of a frame in a device's memory, that cuts it.
void read_region(const FrameView& frame, const cv::Rect& region, cv::Size size, Colour colour,
                 cv::Mat& out);

/// Reads the whole frame as it is shown (vision/shown_frame.h): upright, stretched to `size` of the
/// shown picture. Else as read_region().
void read_shown(const FrameView& frame, cv::Size size, Colour colour, cv::Mat& out);

/// What a plan cuts out of a frame in a device's memory, as read_region() leaves it.
void read_from_device(const FrameView& frame, const CropPlan& plan, Colour colour, cv::Size size,
                      cv::Mat& out);

}  // namespace fer
