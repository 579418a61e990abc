#include "vision/cut_crop.h"

#include <opencv2/imgproc.hpp>

#include "vision/shown_frame.h"

namespace fer {

void cut_plan(const FrameView& frame, const CropPlan& plan, cv::Size size, Colour colour,
              cv::Mat& out) {
  if (frame.memory) {
    read_from_device(frame, plan, colour, size, out);
    return;
  }
  cv::Mat picture;
  read_region(frame, {plan.x, plan.y, plan.width, plan.height}, {plan.columns, plan.rows}, colour,
              picture);
  cv::warpAffine(picture, out, cv::Matx23d(plan.to_crop.data()), size,
                 plan.enlarges ? cv::INTER_CUBIC : cv::INTER_LINEAR, cv::BORDER_REPLICATE);
}

CropPlan plan_shown(const FrameView& frame, const Affine2x3& to_crop, cv::Size size) {
  return plan_crop(composed(to_crop, stored_to_shown(geometry_of(frame))), frame.width,
                   frame.height, size.width, size.height);
}

void cut_crop(const FrameView& frame, const Affine2x3& to_crop, cv::Size size,
              std::vector<std::uint8_t>& pixels) {
  pixels.resize(static_cast<std::size_t>(size.area()));
  cv::Mat out(size, CV_8UC1, pixels.data());
  cut_plan(frame, plan_shown(frame, to_crop, size), size, Colour::kGrey, out);
}

}  // namespace fer
