#include "vision/shown_frame.h"

#include <gtest/gtest.h>

#include <array>
#include <opencv2/imgproc.hpp>

#include "data/drawn_face.h"
#include "unit/vision/raw_frame.h"
#include "vision/align.h"
#include "vision/turn_picture.h"

namespace fer {
namespace {

using test::RawFrame;

constexpr std::array kTurns{
    Orientation::kIdentity,  Orientation::k90Right,        Orientation::k180,
    Orientation::k90Left,    Orientation::kFlipHorizontal, Orientation::kFlipVertical,
    Orientation::kTranspose, Orientation::kTransverse};

TEST(ShownSize, StretchesTheSideAlongWhichPixelsAreLonger) {
  const ShownSize wide = shown_size({720, 576, 64. / 45});
  EXPECT_DOUBLE_EQ(wide.width, 1024);
  EXPECT_DOUBLE_EQ(wide.height, 576);
  const ShownSize high = shown_size({640, 360, 1. / 3});
  EXPECT_DOUBLE_EQ(high.width, 640);
  EXPECT_DOUBLE_EQ(high.height, 1080);
}

TEST(ShownSize, TurnsWithThePicture) {
  const ShownSize turned = shown_size({640, 360, 2, Orientation::k90Right});
  EXPECT_DOUBLE_EQ(turned.width, 360);
  EXPECT_DOUBLE_EQ(turned.height, 1280);
}

TEST(ShownSize, TakesAnAspectThatIsNoneForSquarePixels) {
  for (const double aspect : {0., -1., 1e9}) {
    EXPECT_DOUBLE_EQ(shown_size({640, 360, aspect}).width, 640);
    EXPECT_DOUBLE_EQ(shown_size({640, 360, aspect}).height, 360);
  }
}

TEST(StoredToShown, GoesWhereTurnedPixelsGo) {
  // One bright pixel, off every axis of symmetry.
  cv::Mat stored(4, 6, CV_8UC1, cv::Scalar(0));
  stored.at<uchar>(1, 4) = 255;
  for (const Orientation turn : kTurns) {
    cv::Mat shown;
    turn_picture(stored, turn, shown);
    const FrameGeometry frame{6, 4, 1, turn};
    EXPECT_EQ(shown.size(),
              cv::Size(cvRound(shown_size(frame).width), cvRound(shown_size(frame).height)));
    const ShownPoint there = moved_by(stored_to_shown(frame), 4.5, 1.5);
    EXPECT_EQ(shown.at<uchar>(static_cast<int>(there.y), static_cast<int>(there.x)), 255)
        << static_cast<int>(turn);
    const Affine2x3 round_trip = composed(share_turn(reversed(turn)), share_turn(turn));
    EXPECT_EQ(round_trip, (Affine2x3{1, 0, 0, 0, 1, 0})) << static_cast<int>(turn);
  }
}

/// The picture as it is stored where it is shown in this way.
cv::Mat stored_for(const cv::Mat& shown, double pixel_aspect, Orientation turn) {
  cv::Mat stored, turned;
  turn_picture(shown, reversed(turn), turned);
  const cv::Size size = pixel_aspect > 1
                            ? cv::Size(cvRound(turned.cols / pixel_aspect), turned.rows)
                            : cv::Size(turned.cols, cvRound(turned.rows * pixel_aspect));
  cv::resize(turned, stored, size, 0, 0, cv::INTER_AREA);
  return stored;
}

TEST(CropFace, ComesOutUprightOfFramesThatAreTurnedAndStretched) {
  test::DrawnFace drawn;
  cv::Mat picture = test::draw_face({640, 480}, &drawn);
  // A mark on one cheek: the face is not its own mirror image.
  const cv::Point cheek(drawn.landmarks[3] * 0.7f + drawn.landmarks[0] * 0.3f);
  cv::circle(picture, cheek - cv::Point(30, 0), 28, cv::Scalar(20, 20, 20), cv::FILLED);
  Face face;
  face.box = drawn.box;
  face.landmarks = drawn.landmarks;
  const CropSpec spec{.width = 64, .height = 64};
  cv::Mat expected;
  crop_face(RawFrame(picture, PixelFormat::kNv12).view(), face, spec, expected);
  for (const double aspect : {1., 64. / 45, 2., 0.5}) {
    for (const Orientation turn : kTurns) {
      const RawFrame frame(stored_for(picture, aspect, turn), PixelFormat::kNv12);
      FrameView view = frame.view();
      view.pixel_aspect = aspect;
      view.orientation = turn;
      cv::Mat crop;
      crop_face(view, face, spec, crop);
      const double difference = cv::norm(crop, expected, cv::NORM_L1) / crop.total();
      EXPECT_LT(difference, 6) << aspect << " " << static_cast<int>(turn);
      // As it is stored it looks otherwise.
      if (turn == Orientation::kIdentity && aspect == 1) continue;
      view.pixel_aspect = 1;
      view.orientation = Orientation::kIdentity;
      crop_face(view, face, spec, crop);
      EXPECT_GT(cv::norm(crop, expected, cv::NORM_L1) / crop.total(), 8);
    }
  }
}

TEST(CropWhole, IsTurnedUpright) {
  const cv::Mat picture = test::draw_face({160, 120});
  const CropSpec spec{.width = 40, .height = 30};
  cv::Mat expected, crop;
  crop_whole(RawFrame(picture, PixelFormat::kI420).view(), spec, expected);
  for (const Orientation turn : kTurns) {
    const RawFrame frame(stored_for(picture, 1, turn), PixelFormat::kI420);
    FrameView view = frame.view();
    view.orientation = turn;
    crop_whole(view, spec, crop);
    EXPECT_LT(cv::norm(crop, expected, cv::NORM_INF), 3) << static_cast<int>(turn);
  }
}

}  // namespace
}  // namespace fer
