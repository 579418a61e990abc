#include "vision/face_roll.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/drawn_face.h"
#include "detector_models.h"
#include "unit/vision/raw_frame.h"

namespace fer {
namespace {

using test::RawFrame;

/// Degrees between two directions, in [0, 180].
double apart(double a, double b) {
  return std::abs(std::remainder(a - b, 360.));
}

class FaceRoll : public testing::Test {
 protected:
  void SetUp() override {
    const auto model = test::own_detector_path();
    if (model.empty()) GTEST_SKIP() << "this checkout has no models/face-detector.onnx";
    detector_ = open_detector(model);
  }

  /// A drawn face turned clockwise by so many degrees, as it is and as a detector sees it.
  struct Turned {
    cv::Mat picture;
    test::DrawnFace drawn;
    Face found;
  };
  static Turned turned(float degrees) {
    Turned face;
    face.picture = test::drawn_background({640, 360});
    face.drawn = test::draw_face_at(face.picture, {{320, 180}, 160, 1, degrees});
    face.found.box = {320 - 65, 180 - 80, 130, 160};
    return face;
  }

  std::unique_ptr<Detector> detector_;
};

TEST_F(FaceRoll, IsFoundAtEveryTurn) {
  RollFinder rolls(*detector_);
  for (int degrees = -150; degrees <= 180; degrees += 30) {
    const Turned face = turned(static_cast<float>(degrees));
    const RawFrame frame(face.picture, PixelFormat::kNv12);
    const auto rolled = rolls.search(frame.view(), face.found);
    ASSERT_TRUE(rolled) << degrees;
    EXPECT_LT(apart(rolled->degrees, degrees), 12) << degrees;
    for (std::size_t i = 0; i < rolled->landmarks.size(); ++i) {
      EXPECT_LT(cv::norm(rolled->landmarks[i] - face.drawn.landmarks[i]), 0.1 * 160)
          << degrees << " landmark " << i;
    }
  }
}

TEST_F(FaceRoll, IsFollowedFromWhatWasKnown) {
  RollFinder rolls(*detector_);
  const Turned face = turned(170);
  const RawFrame frame(face.picture, PixelFormat::kI420);
  const auto rolled = rolls.follow(frame.view(), face.found, 155);
  ASSERT_TRUE(rolled);
  EXPECT_LT(apart(rolled->degrees, 170), 12);
}

TEST_F(FaceRoll, IsUnknownWhereThereIsNoFace) {
  RollFinder rolls(*detector_);
  const RawFrame frame(test::drawn_background({640, 360}), PixelFormat::kI420);
  Face nothing;
  nothing.box = {200, 100, 120, 150};
  EXPECT_FALSE(rolls.search(frame.view(), nothing));
  EXPECT_FALSE(rolls.follow(frame.view(), nothing, 90));
}

}  // namespace
}  // namespace fer
