#include "vision/box_filter.h"

#include <gtest/gtest.h>

#include <random>

namespace fer {
namespace {

TEST(BoxFilter, StartsAtTheBoxAndStays) {
  BoxFilter filter({10, 20, 40, 50});
  filter.predict(true);
  const cv::Rect2f box = filter.box();
  EXPECT_NEAR(box.x, 10, 1e-3);
  EXPECT_NEAR(box.y, 20, 1e-3);
  EXPECT_NEAR(box.width, 40, 1e-3);
  EXPECT_NEAR(box.height, 50, 1e-3);
}

TEST(BoxFilter, LearnsTheSpeed) {
  BoxFilter filter({0, 0, 80, 100});
  for (int frame = 1; frame <= 30; ++frame) {
    filter.predict(true);
    filter.correct({5.f * static_cast<float>(frame), 0, 80, 100});
  }
  for (int frame = 0; frame < 4; ++frame) filter.predict(true);
  EXPECT_NEAR(filter.box().x, 170, 1);
}

TEST(BoxFilter, KeepsItsSizeOutOfSight) {
  BoxFilter filter({0, 0, 80, 100});
  for (int frame = 1; frame <= 30; ++frame) {
    filter.predict(true);
    const float size = 1 + 0.02f * static_cast<float>(frame);
    filter.correct({0, 0, 80 * size, 100 * size});
  }
  BoxFilter seen = filter;
  const float height = filter.box().height;
  for (int frame = 0; frame < 10; ++frame) {
    filter.predict(false);
    seen.predict(true);
  }
  EXPECT_NEAR(filter.box().height, height, 1e-3);
  EXPECT_GT(seen.box().height, 1.1f * height);
}

TEST(BoxFilter, SmoothsATremblingBox) {
  std::mt19937 random(1);
  std::normal_distribution<float> tremble(0, 5);
  BoxFilter filter({100, 100, 80, 100});
  double measured = 0, filtered = 0;
  for (int frame = 0; frame < 200; ++frame) {
    const float error = tremble(random);
    filter.predict(true);
    filter.correct({100 + error, 100, 80, 100});
    measured += error * error;
    filtered += (filter.box().x - 100) * (filter.box().x - 100);
  }
  EXPECT_LT(filtered, 0.7 * measured);
}

}  // namespace
}  // namespace fer
