// The shipped detector's network by oneDNN and by OpenCV.
#include "vision/grid_network.h"

#include <gtest/gtest.h>

#include <array>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "vision/detection_grid.h"

namespace fer {
namespace {

const std::vector<std::string> kOutputs{"faces_8", "faces_16", "faces_32"};

cv::dnn::Net shipped() {
  return cv::dnn::readNetFromONNX(SHIPPED_MODELS "/face-detector.onnx");
}

cv::Mat noise(int width, int height, std::uint64_t seed) {
  const int shape[] = {1, 1, height, width};
  cv::Mat picture(4, shape, CV_32F);
  cv::RNG(seed).fill(picture, cv::RNG::UNIFORM, 0, 255);
  return picture;
}

TEST(GridLayers, ReadTheShippedNetwork) {
  cv::dnn::Net network = shipped();
  const auto read = grid_layers(network, kOutputs);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->outputs.size(), 3u);
  const GridLayer& stem = read->layers.front();
  EXPECT_EQ(stem.kind, GridLayer::kConv);
  EXPECT_EQ(stem.input, 0);
  EXPECT_EQ((std::array{stem.kernel, stem.stride, stem.pad}), (std::array{7, 4, 3}));
  EXPECT_TRUE(stem.relu);
  int enlarged = 0, added = 0;
  for (std::size_t i = 0; i < read->layers.size(); ++i) {
    const GridLayer& layer = read->layers[i];
    EXPECT_LE(layer.input, static_cast<int>(i));  // Of what came before.
    enlarged += layer.kind == GridLayer::kEnlarge;
    added += layer.kind == GridLayer::kAdd;
  }
  EXPECT_EQ(enlarged, 2);
  EXPECT_EQ(added, 2);
  for (const int output : read->outputs)
    EXPECT_EQ(read->layers[static_cast<std::size_t>(output - 1)].out, kCellValues);
}

TEST(GridLayers, AreNoneForOutputsThatAreNotThere) {
  cv::dnn::Net network = shipped();
  EXPECT_FALSE(grid_layers(network, {"loc", "conf"}));
}

TEST(GridNetwork, IsOneDnnsWhereThatIsBuiltIn) {
  const auto [network, layers] = open_grid(shipped(), kOutputs);
#ifdef HAVE_ONEDNN
  EXPECT_EQ(network->name().rfind("oneDNN ", 0), 0u) << network->name();
  EXPECT_NE(layers, nullptr);
#else
  EXPECT_EQ(network->name().rfind("OpenCV ", 0), 0u) << network->name();
#endif
}

#ifdef HAVE_ONEDNN
TEST(GridNetwork, SaysWhatOpenCvSaysAtAnySize) {
  cv::dnn::Net opencv = shipped();
  cv::dnn::Net copy = shipped();
  const auto onednn = make_onednn_grid(*grid_layers(copy, kOutputs));
  for (const auto& [width, height] :
       {std::array{640, 384}, {64, 64}, {96, 64}, {64, 320}, {1920, 1088}, {640, 384}}) {
    const cv::Mat picture = noise(width, height, static_cast<std::uint64_t>(width));
    std::vector<cv::Mat> expected, found;
    opencv.setInput(picture);
    opencv.forward(expected, kOutputs);
    for (int again = 0; again < 2; ++again) {
      onednn->run(picture, found);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i].size, expected[i].size) << width << 'x' << height;
        EXPECT_LT(cv::norm(found[i], expected[i], cv::NORM_INF), 1e-3)
            << width << 'x' << height << " level " << i;
      }
    }
  }
}

TEST(GridNetwork, LeavesLayersThatItDoesNotKnowToOpenCv) {
  cv::dnn::Net network = shipped();
  auto layers = *grid_layers(network, kOutputs);
  // A dense convolution that does not fit what it reads.
  layers.layers[2].in = 5;
  std::vector<cv::Mat> outputs;
  EXPECT_THROW(make_onednn_grid(layers)->run(noise(64, 64, 1), outputs), std::exception);
  // One whose weights are not all there.
  layers = *grid_layers(network, kOutputs);
  layers.layers[0].weight.pop_back();
  EXPECT_THROW(make_onednn_grid(layers)->run(noise(64, 64, 1), outputs), std::exception);
}
#endif

}  // namespace
}  // namespace fer
