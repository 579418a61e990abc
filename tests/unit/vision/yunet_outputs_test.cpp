#include "vision/yunet_outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fer {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const cv::Size kInput(160, 128);

/// Outputs of a network that sees nothing.
std::vector<cv::Mat> blank(YuNetRelease release) {
  std::vector<int> rows, values;
  if (release == YuNetRelease::kMarch2022) {
    const int anchors = 20 * 16 * 3 + 10 * 8 * 2 + 5 * 4 * 2 + 2 * 2 * 3;
    rows = {anchors, anchors, anchors};
    values = {14, 2, 1};
  } else {
    for (int i = 0; i < 4; ++i) rows.insert(rows.end(), {20 * 16, 10 * 8, 5 * 4});
    values = {1, 1, 1, 1, 1, 1, 4, 4, 4, 10, 10, 10};
  }
  std::vector<cv::Mat> outputs;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    outputs.push_back(cv::Mat::zeros(rows[i], values[i], CV_32F));
  }
  return outputs;
}

float* row(cv::Mat& output, int index) {
  return output.ptr<float>(index);
}

class YuNetOutputs : public testing::TestWithParam<YuNetRelease> {};

TEST_P(YuNetOutputs, BlankOnesHoldNoFaces) {
  const auto outputs = blank(GetParam());
  EXPECT_THAT(yunet_output_names(GetParam()), SizeIs(outputs.size()));
  EXPECT_EQ(yunet_wrong_shape(GetParam(), outputs, kInput), "");
  EXPECT_THAT(yunet_faces(GetParam(), outputs, kInput, 0.01f), IsEmpty());
}

TEST_P(YuNetOutputs, OtherShapesAreNamed) {
  for (std::size_t i = 0; i < yunet_output_names(GetParam()).size(); ++i) {
    auto outputs = blank(GetParam());
    outputs[i] = outputs[i].rowRange(1, outputs[i].rows).clone();
    const std::string name = yunet_output_names(GetParam())[i];
    EXPECT_THAT(yunet_wrong_shape(GetParam(), outputs, kInput), HasSubstr(name + " has"));
  }
  auto outputs = blank(GetParam());
  outputs[0].convertTo(outputs[0], CV_64F);
  EXPECT_NE(yunet_wrong_shape(GetParam(), outputs, kInput), "");
  EXPECT_NE(yunet_wrong_shape(GetParam(), blank(GetParam()), {128, 128}), "");
}

TEST_P(YuNetOutputs, NoNumberIsNoFace) {
  auto outputs = blank(GetParam());
  for (cv::Mat& output : outputs) output.setTo(std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(yunet_faces(GetParam(), outputs, kInput, 0.01f), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Releases, YuNetOutputs, testing::ValuesIn(kYuNetReleases),
                         [](const auto& info) {
                           return info.param == YuNetRelease::kMarch2022 ? "March2022"
                                                                         : "March2023";
                         });

TEST(YuNetOutputs2022, AnAnchorIsDecodedAsSsdHasIt) {
  auto outputs = blank(YuNetRelease::kMarch2022);
  const int index = (2 * 20 + 3) * 3 + 1;  // map of stride 8, cell (3, 2), anchor 16 wide
  float* loc = row(outputs[0], index);
  loc[0] = 1;                      // a tenth of the anchor to the right
  loc[2] = std::log(2.f) / 0.1f;   // twice as wide
  loc[3] = std::log(0.5f) / 0.2f;  // half as high
  loc[5] = -5;                     // first landmark: half an anchor up
  row(outputs[1], index)[1] = 0.81f;
  row(outputs[2], index)[0] = 1;
  const auto faces = yunet_faces(YuNetRelease::kMarch2022, outputs, kInput, 0.89f);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_NEAR(faces[0].score, 0.9f, 1e-6f);
  EXPECT_NEAR(faces[0].box.x, 28 + 1.6f - 16, 1e-4f);
  EXPECT_NEAR(faces[0].box.width, 32, 1e-4f);
  EXPECT_NEAR(faces[0].box.y, 20 - 4, 1e-4f);
  EXPECT_NEAR(faces[0].box.height, 8, 1e-4f);
  ASSERT_TRUE(faces[0].landmarks);
  EXPECT_EQ((*faces[0].landmarks)[0], cv::Point2f(28, 12));
  EXPECT_EQ((*faces[0].landmarks)[4], cv::Point2f(28, 20));
  EXPECT_THAT(yunet_faces(YuNetRelease::kMarch2022, outputs, kInput, 0.91f), IsEmpty());
}

TEST(YuNetOutputs2022, TheLastAnchorIsTheLargest) {
  auto outputs = blank(YuNetRelease::kMarch2022);
  const int last = outputs[0].rows - 1;
  row(outputs[1], last)[1] = row(outputs[2], last)[0] = 1;
  const auto faces = yunet_faces(YuNetRelease::kMarch2022, outputs, kInput, 0.5f);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_EQ(faces[0].box, cv::Rect2f(96 - 128, 96 - 128, 256, 256));
}

TEST(YuNetOutputs2023, ACellIsDecodedInItsStride) {
  auto outputs = blank(YuNetRelease::kMarch2023);
  const int index = 2 * 10 + 3;  // map of stride 16, cell (3, 2)
  row(outputs[1], index)[0] = 0.81f;
  row(outputs[4], index)[0] = 1.5f;  // more than all is all
  float* box = row(outputs[7], index);
  box[0] = 0.5f;
  box[2] = std::log(3.f);
  row(outputs[10], index)[9] = 1;  // last landmark: one cell down
  const auto faces = yunet_faces(YuNetRelease::kMarch2023, outputs, kInput, 0.89f);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_NEAR(faces[0].score, 0.9f, 1e-6f);
  EXPECT_NEAR(faces[0].box.x, 56 - 24, 1e-4f);
  EXPECT_NEAR(faces[0].box.width, 48, 1e-4f);
  EXPECT_NEAR(faces[0].box.y, 32 - 8, 1e-4f);
  EXPECT_NEAR(faces[0].box.height, 16, 1e-4f);
  EXPECT_EQ((*faces[0].landmarks)[0], cv::Point2f(48, 32));
  EXPECT_EQ((*faces[0].landmarks)[4], cv::Point2f(48, 48));
}

}  // namespace
}  // namespace fer
