// Cuts a grey picture out of a frame by any similarity. What align.h's crops and the closer looks
// at faces share.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "vision/crop_plan.h"
#include "vision/frame.h"
#include "vision/read_region.h"

namespace fer {

/// Cuts what `plan` says out of the frame into `out`, as crop_face() does.
void cut_plan(const FrameView& frame, const CropPlan& plan, cv::Size size, Colour colour,
              cv::Mat& out);

/// The plan of a crop of that size. `to_crop` goes from pixels of the shown frame to the crop's.
CropPlan plan_shown(const FrameView& frame, const Affine2x3& to_crop, cv::Size size);

/// Cuts a grey crop into `pixels`, row by row without padding.
void cut_crop(const FrameView& frame, const Affine2x3& to_crop, cv::Size size,
              std::vector<std::uint8_t>& pixels);

}  // namespace fer
