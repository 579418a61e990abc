#include "vision/scene_cut.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "data/drawn_face.h"

namespace fer {
namespace {

/// A drawn face on its background, shifted by so many pixels.
cv::Mat scene(float shift) {
  cv::Mat picture = test::drawn_background({320, 180});
  test::draw_face_at(picture, {{120 + shift, 90}, 100});
  return picture;
}

/// Something else altogether.
cv::Mat other_scene() {
  cv::Mat picture(180, 320, CV_8UC3, cv::Scalar(200, 190, 180));
  cv::rectangle(picture, {180, 20}, {310, 170}, cv::Scalar(20, 30, 30), cv::FILLED);
  cv::rectangle(picture, {20, 100}, {90, 170}, cv::Scalar(60, 40, 30), cv::FILLED);
  return picture;
}

TEST(SceneCut, TheFirstPictureBeginsNothing) {
  SceneCut cuts;
  EXPECT_FALSE(cuts.begins(scene(0)));
}

TEST(SceneCut, AnotherPictureIsAnotherScene) {
  SceneCut cuts;
  cuts.begins(scene(0));
  EXPECT_TRUE(cuts.begins(other_scene()));
  EXPECT_FALSE(cuts.begins(other_scene()));
  EXPECT_TRUE(cuts.begins(scene(0)));
}

TEST(SceneCut, AFaceThatMovesIsTheSameScene) {
  SceneCut cuts;
  for (int frame = 0; frame < 20; ++frame) {
    EXPECT_FALSE(cuts.begins(scene(3 * static_cast<float>(frame)))) << frame;
  }
}

TEST(SceneCut, BrightnessAndContrastAreTheSameScene) {
  SceneCut cuts;
  cv::Mat changed;
  cuts.begins(scene(0));
  scene(0).convertTo(changed, -1, 0.5, 90);
  EXPECT_FALSE(cuts.begins(changed));
  scene(0).convertTo(changed, -1, 1, 60);
  EXPECT_FALSE(cuts.begins(changed));
}

TEST(SceneCut, ComparesAcrossPicturesThatShowNothing) {
  SceneCut cuts;
  const cv::Mat black(180, 320, CV_8UC3, cv::Scalar(16, 16, 16));
  cuts.begins(scene(0));
  EXPECT_FALSE(cuts.begins(black));
  EXPECT_FALSE(cuts.begins(scene(0))) << "a flash";
  EXPECT_FALSE(cuts.begins(black));
  EXPECT_TRUE(cuts.begins(other_scene())) << "a fade to another scene";
}

TEST(SceneCut, TakesGreyPicturesOfAnotherSize) {
  SceneCut cuts;
  cv::Mat grey, half;
  cv::cvtColor(scene(0), grey, cv::COLOR_BGR2GRAY);
  cv::resize(grey, half, {160, 90}, 0, 0, cv::INTER_AREA);
  cuts.begins(scene(0));
  EXPECT_FALSE(cuts.begins(half));
}

}  // namespace
}  // namespace fer
