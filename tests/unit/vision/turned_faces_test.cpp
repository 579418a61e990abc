#include "vision/turned_faces.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>

#include "data/drawn_face.h"
#include "detector_models.h"
#include "unit/vision/raw_frame.h"
#include "vision/face_finder.h"
#include "vision/quarter_look.h"

namespace fer {
namespace {

using test::RawFrame;

/// Degrees between two directions, in [0, 180].
double apart(double a, double b) {
  return std::abs(std::remainder(a - b, 360.));
}

/// Counts the runs of a detector.
class CountedDetector final : public Detector {
 public:
  CountedDetector(std::unique_ptr<Detector> detector, double& pixels)
      : detector_(std::move(detector)), pixels_(pixels) {}

  std::vector<Face> detect(const FrameView& frame, const DetectorConfig& config) override {
    DetectorConfig no_closer = config;
    no_closer.small_faces = false;
    pixels_ += frame.width * frame.height;
    return detector_->detect(frame, no_closer);
  }
  std::string name() const override { return "counted"; }

 private:
  const std::unique_ptr<Detector> detector_;
  double& pixels_;
};

constexpr int kWidth = 640, kHeight = 360;
constexpr int kFrames = 8;

class TurnedFacesTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto model = test::own_detector_path();
    if (model.empty()) GTEST_SKIP() << "this checkout has no models/face-detector.onnx";
    detector_ = open_detector(model);
  }

  FaceFinder finder() {
    return FaceFinder(std::make_unique<CountedDetector>(std::move(detector_), pixels_));
  }

  /// A picture with a face turned clockwise by so many degrees.
  static cv::Mat picture(float degrees, test::DrawnFace& drawn, cv::Point2f at = {320, 180}) {
    static const cv::Mat background = test::drawn_background({kWidth, kHeight});
    cv::Mat made = background.clone();
    drawn = test::draw_face_at(made, {at, 160, 1, degrees});
    return made;
  }

  std::unique_ptr<Detector> detector_;
  double pixels_ = 0;  ///< Of all that the detector looked at.
};

TEST_F(TurnedFacesTest, AQuarterLookTellsWhereFacesLieInTheFrame) {
  for (const Orientation orientation :
       {Orientation::kIdentity, Orientation::k90Right, Orientation::kFlipHorizontal}) {
    for (const int degrees : {90, -90, 180}) {
      test::DrawnFace drawn;
      cv::Mat shown = picture(static_cast<float>(degrees), drawn, {400, 180});
      cv::Mat stored = shown;
      if (orientation == Orientation::k90Right)
        cv::rotate(shown, stored, cv::ROTATE_90_COUNTERCLOCKWISE);
      if (orientation == Orientation::kFlipHorizontal) cv::flip(shown, stored, 1);
      const RawFrame frame(stored, PixelFormat::kI420);
      FrameView view = frame.view();
      view.orientation = orientation;
      const auto faces = look_at_quarter(*detector_, view, {}, degrees);
      ASSERT_EQ(faces.size(), 1u) << degrees << " " << static_cast<int>(orientation);
      EXPECT_LT(apart(faces[0].degrees, degrees), 12);
      EXPECT_LT(std::abs(faces[0].centre.x - 400), 25);
      for (std::size_t i = 0; i < 5; ++i)
        EXPECT_LT(cv::norm(faces[0].landmarks[i] - drawn.landmarks[i]), 0.12 * 160) << i;
    }
  }
}

TEST_F(TurnedFacesTest, FacesAreFoundAndFollowedAtEveryTurn) {
  const auto shared = test::own_detector_path();
  for (int degrees = -150; degrees <= 180; degrees += 30) {
    FaceFinder faces(open_detector(shared));
    faces.configure({.frame_rate = 25});
    int seen = 0;
    std::uint64_t id = 0;
    for (int i = 0; i < kFrames; ++i) {
      test::DrawnFace drawn;
      const cv::Mat now =
          picture(static_cast<float>(degrees), drawn, {260 + 4 * static_cast<float>(i), 180});
      const RawFrame frame(now, PixelFormat::kNv12);
      const auto found = faces.detect(frame.view());
      if (found.empty()) continue;
      ASSERT_EQ(found.size(), 1u) << degrees << " frame " << i;
      ASSERT_TRUE(found[0].landmarks);
      if (id == 0) id = found[0].track_id;
      EXPECT_EQ(found[0].track_id, id) << degrees;
      seen += found[0].clear && apart(roll_of(*found[0].landmarks), degrees) < 15;
    }
    EXPECT_GE(seen, kFrames - 1) << degrees;
  }
}

TEST_F(TurnedFacesTest, WhereThereIsNoFaceTheLooksTakeThreeRunsMoreASecond) {
  FaceFinder faces = finder();
  faces.configure({.frame_rate = 25});
  const RawFrame frame(test::drawn_background({kWidth, kHeight}), PixelFormat::kI420);
  EXPECT_TRUE(faces.detect(frame.view()).empty());
  const double run = kWidth * kHeight;
  EXPECT_DOUBLE_EQ(pixels_, 4 * run) << "the first frame is seen in all turns";
  pixels_ = 0;
  for (int i = 0; i < 25; ++i) faces.detect(frame.view());
  EXPECT_DOUBLE_EQ(pixels_, 28 * run);
}

TEST_F(TurnedFacesTest, OneTurnedFaceTakesAThirdOfARunMore) {
  FaceFinder faces = finder();
  faces.configure({.frame_rate = 25});
  test::DrawnFace drawn;
  const RawFrame frame(picture(90, drawn), PixelFormat::kI420);
  ASSERT_EQ(faces.detect(frame.view()).size(), 1u);
  pixels_ = 0;
  for (int i = 0; i < 25; ++i) EXPECT_EQ(faces.detect(frame.view()).size(), 1u);
  // Beside the looks of each second and the search.
  EXPECT_LT(pixels_ / 25, 1.6 * kWidth * kHeight);
}

}  // namespace
}  // namespace fer
