// A face that we drew ourselves, which both YuNet and the Haar cascades take for one: tests need no
// picture of a person.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace fer::test {

/// Where a drawn face lies: the box from forehead to chin and from cheek to cheek, and the
/// landmarks in the order of fer::Landmarks.
struct DrawnFace {
  cv::Rect2f box;
  std::array<cv::Point2f, 5> landmarks;
};

/// How to draw it. `centre` and `height` (forehead to chin) are in pixels of the picture.
struct DrawnFaceSpec {
  cv::Point2f centre;
  float height = 0.f;
  float mouth_curve = 0.f;  ///< 1 smiles, -1 is sad.
  float tilt = 0.f;         ///< Degrees, clockwise on the screen.
};

/// Draws a face into a CV_8UC3 picture in BGR order and says where it is.
inline DrawnFace draw_face_at(cv::Mat& picture, const DrawnFaceSpec& spec) {
  // Drawn upright on a canvas of its own, 400 pixels from forehead to chin, then shrunk into place.
  constexpr float kHeight = 400.f;
  const cv::Size size(640, 800);
  const cv::Point2f middle(320.f, 400.f);
  const auto at = [&](float x, float y) {  // in face heights from the middle of the face
    return cv::Point(cvRound(middle.x + x * kHeight), cvRound(middle.y + y * kHeight));
  };
  const auto ellipse = [&](cv::Mat& canvas, float x, float y, float rx, float ry,
                           const cv::Scalar& colour, float from = 0, float to = 360,
                           int thickness = -1) {
    cv::ellipse(canvas, at(x, y), {cvRound(rx * kHeight), cvRound(ry * kHeight)}, 0, from, to,
                colour, thickness, cv::LINE_AA);
  };
  const auto soften = [](cv::Mat& canvas, double sigma) {
    cv::GaussianBlur(canvas, canvas, {0, 0}, sigma);
  };
  const cv::Scalar skin(150, 180, 225), shade(115, 145, 195), light(175, 205, 240);
  const cv::Scalar hair(25, 35, 50), dark(30, 30, 40), lips(90, 85, 175), white(235, 238, 240);

  cv::Mat mask(size, CV_8UC1, cv::Scalar(0));
  cv::Mat canvas(size, CV_8UC3, hair);
  // Neck and shoulders, hair, head.
  ellipse(mask, 0, 1.02f, 0.72f, 0.40f, 255);
  ellipse(mask, 0, -0.10f, 0.47f, 0.60f, 255);
  cv::rectangle(mask, at(-0.17f, 0.35f), at(0.17f, 0.72f), 255, cv::FILLED);
  ellipse(canvas, 0, 1.02f, 0.72f, 0.40f, cv::Scalar(110, 80, 60));
  cv::rectangle(canvas, at(-0.17f, 0.35f), at(0.17f, 0.72f), shade, cv::FILLED);
  ellipse(canvas, 0, -0.10f, 0.47f, 0.60f, hair);
  ellipse(canvas, -0.39f, 0.02f, 0.05f, 0.10f, shade);
  ellipse(canvas, 0.39f, 0.02f, 0.05f, 0.10f, shade);
  ellipse(canvas, 0, 0, 0.385f, 0.52f, shade);
  ellipse(canvas, 0, -0.01f, 0.355f, 0.485f, skin);
  soften(canvas, 9);
  // Light on forehead, cheeks, chin; shade around the eyes and beside the nose.
  ellipse(canvas, 0, -0.30f, 0.20f, 0.09f, light);
  ellipse(canvas, -0.20f, 0.13f, 0.09f, 0.08f, light);
  ellipse(canvas, 0.20f, 0.13f, 0.09f, 0.08f, light);
  ellipse(canvas, 0, 0.42f, 0.09f, 0.05f, light);
  for (const float side : {-1.f, 1.f}) {
    ellipse(canvas, side * 0.165f, -0.10f, 0.115f, 0.065f, shade);
    ellipse(canvas, side * 0.055f, 0.02f, 0.018f, 0.12f, shade);
  }
  soften(canvas, 12);
  ellipse(canvas, 0, 0.02f, 0.022f, 0.14f, light);
  ellipse(canvas, 0, 0.135f, 0.045f, 0.04f, light);
  for (const float side : {-1.f, 1.f}) ellipse(canvas, side * 0.06f, 0.145f, 0.03f, 0.03f, shade);
  soften(canvas, 6);
  for (const float side : {-1.f, 1.f}) {
    ellipse(canvas, side * 0.035f, 0.172f, 0.022f, 0.012f, dark);              // nostril
    ellipse(canvas, side * 0.17f, -0.17f, 0.11f, 0.045f, hair, 200, 340, 14);  // brow
    ellipse(canvas, side * 0.165f, -0.085f, 0.075f, 0.036f, white);
    ellipse(canvas, side * 0.165f, -0.087f, 0.036f, 0.036f, dark);
    ellipse(canvas, side * 0.165f, -0.080f, 0.080f, 0.044f, dark, 190, 350, 6);  // upper lid
  }
  // The mouth is a band whose middle hangs below its corners, or above.
  constexpr float kMouthX = 0.145f, kMouthY = 0.285f;
  const float bend = 0.045f * spec.mouth_curve;
  std::vector<cv::Point> outline, gap;
  for (int i = -20; i <= 20; ++i) {
    const float t = static_cast<float>(i) / 20.f, arch = 1.f - t * t;
    outline.push_back(at(t * kMouthX, kMouthY - bend + 2 * bend * arch - 0.030f * arch));
    gap.push_back(at(t * kMouthX, kMouthY - bend + 2 * bend * arch));
  }
  for (int i = 20; i >= -20; --i) {
    const float t = static_cast<float>(i) / 20.f, arch = 1.f - t * t;
    outline.push_back(at(t * kMouthX, kMouthY - bend + 2 * bend * arch + 0.045f * arch));
  }
  cv::fillPoly(canvas, std::vector<std::vector<cv::Point>>{outline}, lips, cv::LINE_AA);
  cv::polylines(canvas, gap, false, dark, 6, cv::LINE_AA);
  soften(canvas, 2.5);
  soften(mask, 2.5);

  // Averaged down first where it shrinks a lot, then turned and moved.
  float scale = spec.height / kHeight;
  const float shrink = std::min(1.f, scale);
  cv::resize(canvas, canvas, {}, shrink, shrink, cv::INTER_AREA);
  cv::resize(mask, mask, {}, shrink, shrink, cv::INTER_AREA);
  const cv::Point2f pivot(middle.x * shrink, middle.y * shrink);
  scale /= shrink;
  cv::Mat place = cv::getRotationMatrix2D(pivot, -spec.tilt, scale);
  place.at<double>(0, 2) += spec.centre.x - pivot.x;
  place.at<double>(1, 2) += spec.centre.y - pivot.y;
  cv::Mat placed, placed_mask;
  cv::warpAffine(canvas, placed, place, picture.size(), cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  cv::warpAffine(mask, placed_mask, place, picture.size(), cv::INTER_LINEAR);
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      const int opacity = placed_mask.at<uchar>(y, x);
      cv::Vec3b& pixel = picture.at<cv::Vec3b>(y, x);
      const cv::Vec3b& drawn = placed.at<cv::Vec3b>(y, x);
      for (int c = 0; c < 3; ++c) {
        pixel[c] =
            static_cast<uchar>((pixel[c] * (255 - opacity) + drawn[c] * opacity + 127) / 255);
      }
    }
  }

  DrawnFace face;
  const double radians = spec.tilt * CV_PI / 180;
  const auto cosine = static_cast<float>(std::cos(radians));
  const auto sine = static_cast<float>(std::sin(radians));
  const auto in_picture = [&](float x, float y) {
    return spec.centre + spec.height * cv::Point2f(x * cosine - y * sine, x * sine + y * cosine);
  };
  face.landmarks = {in_picture(-0.165f, -0.085f), in_picture(0.165f, -0.085f), in_picture(0, 0.14f),
                    in_picture(-kMouthX, kMouthY - bend), in_picture(kMouthX, kMouthY - bend)};
  face.box = {spec.centre.x - 0.385f * spec.height, spec.centre.y - 0.5f * spec.height,
              0.77f * spec.height, spec.height};
  return face;
}

/// The even background that the drawn faces stand on, in BGR.
inline cv::Mat drawn_background(cv::Size size) {
  return {size, CV_8UC3, cv::Scalar(165, 160, 150)};
}

/// A picture in BGR with one upright face in the middle, 60 % of the picture's shorter side high.
/// `face`, where given, is told where it lies.
inline cv::Mat draw_face(cv::Size size, DrawnFace* face = nullptr) {
  cv::Mat picture = drawn_background(size);
  const DrawnFaceSpec spec{
      {static_cast<float>(size.width) / 2, static_cast<float>(size.height) / 2},
      0.6f * static_cast<float>(std::min(size.width, size.height))};
  const DrawnFace drawn = draw_face_at(picture, spec);
  if (face != nullptr) *face = drawn;
  return picture;
}

/// How much two boxes share: intersection over union.
inline float overlap(const cv::Rect2f& a, const cv::Rect2f& b) {
  const float both = (a & b).area();
  return both / (a.area() + b.area() - both);
}

}  // namespace fer::test
