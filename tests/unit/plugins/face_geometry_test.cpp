#include "face-geometry.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

TrackedFace sample() {
  TrackedFace face;
  face.box = {64, 48, 160, 240};
  face.score = 0.75f;
  face.track_id = 9;
  face.landmarks = Landmarks{cv::Point2f{100, 100}, {180, 110}, {140, 150}, {110, 200}, {170, 205}};
  return face;
}

TEST(FaceGeometry, RecordsHoldSharesOfTheFrame) {
  const FaceRecord record = face_record(sample(), {640, 480});
  EXPECT_DOUBLE_EQ(record.x, 0.1);
  EXPECT_DOUBLE_EQ(record.y, 0.1);
  EXPECT_DOUBLE_EQ(record.w, 0.25);
  EXPECT_DOUBLE_EQ(record.h, 0.5);
  EXPECT_DOUBLE_EQ(record.confidence, 0.75);
  EXPECT_EQ(record.track_id, 9u);
  ASSERT_TRUE(record.landmarks);
  EXPECT_DOUBLE_EQ((*record.landmarks)[2], 180. / 640);
  EXPECT_DOUBLE_EQ((*record.landmarks)[3], 110. / 480);
  EXPECT_FALSE(record.expression);
}

TEST(FaceGeometry, ThereAndBackIsTheSame) {
  const TrackedFace face = sample();
  const TrackedFace again = face_in_pixels(face_record(face, {640, 480}), {640, 480});
  EXPECT_FLOAT_EQ(again.box.x, face.box.x);
  EXPECT_FLOAT_EQ(again.box.br().y, face.box.br().y);
  EXPECT_FLOAT_EQ(again.score, face.score);
  EXPECT_EQ(again.track_id, face.track_id);
  ASSERT_TRUE(again.landmarks);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_FLOAT_EQ((*again.landmarks)[i].x, (*face.landmarks)[i].x);
    EXPECT_FLOAT_EQ((*again.landmarks)[i].y, (*face.landmarks)[i].y);
  }
}

TEST(FaceGeometry, ScalesWithTheFrame) {
  const TrackedFace half = face_in_pixels(face_record(sample(), {640, 480}), {320, 240});
  EXPECT_FLOAT_EQ(half.box.width, 80);
  EXPECT_FLOAT_EQ((*half.landmarks)[4].x, 85);
}

TEST(FaceGeometry, FacesWithoutLandmarksStaySo) {
  TrackedFace face = sample();
  face.landmarks.reset();
  EXPECT_FALSE(face_record(face, {640, 480}).landmarks);
  EXPECT_FALSE(face_in_pixels(face_record(face, {640, 480}), {640, 480}).landmarks);
}

TEST(FaceGeometry, KeepsFacesInTheStoredFramesCoordinates) {
  // A frame of 400 x 200 stored pixels, twice as wide as high, that is shown turned clockwise: the
  // shown picture is 200 pixels wide and 800 high.
  const FrameGeometry frame{400, 200, 2, Orientation::k90Right};
  TrackedFace face;
  face.box = {20, 400, 40, 80};
  face.landmarks = Landmarks{cv::Point2f{30, 420}, {50, 420}, {40, 440}, {32, 460}, {48, 460}};
  const FaceRecord record = face_record(face, frame);
  // Turned back, what lies 400 to 480 of 800 down lies there across, and what lies 20 to 60 of 200
  // across lies 140 to 180 of 200 down.
  EXPECT_NEAR(record.x, 0.5, 1e-6);
  EXPECT_NEAR(record.w, 0.1, 1e-6);
  EXPECT_NEAR(record.y, 0.7, 1e-6);
  EXPECT_NEAR(record.h, 0.2, 1e-6);
  EXPECT_NEAR((*record.landmarks)[0], 420. / 800, 1e-6);
  EXPECT_NEAR((*record.landmarks)[1], 1 - 30. / 200, 1e-6);
  EXPECT_NEAR(face_size(record, frame), 40, 1e-4);
  const TrackedFace again = face_in_pixels(record, frame);
  EXPECT_NEAR(again.box.x, 20, 1e-3);
  EXPECT_NEAR(again.box.height, 80, 1e-3);
  EXPECT_NEAR((*again.landmarks)[3].y, 460, 1e-3);
}

}  // namespace
}  // namespace fer
