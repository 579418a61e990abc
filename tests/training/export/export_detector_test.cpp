// The exported detector, as the elements run it and against the network that it came from.
#include "export/export_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <array>
#include <opencv2/dnn.hpp>

#include "export/onnx_runtime.h"
#include "network/detector_file.h"
#include "network/detector_net.h"
#include "network/folded_detector.h"
#include "scoped.h"
#include "unit/vision/raw_frame.h"
#include "vision/detection_grid.h"
#include "vision/detector.h"

namespace fer {
namespace {

using test::RawFrame;
using test::ScopedFolder;

/// Random weights and statistics, with scores about a half.
DetectorFile random_detector(const DetectorNetConfig& config, DetectorNet& network) {
  torch::manual_seed(5);
  network = DetectorNet(config);
  torch::NoGradGuard no_grad;
  for (auto& item : network->named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().normal_(0, 0.1);
    if (item.key().ends_with("running_var")) item.value().uniform_(0.5, 1.5);
  }
  for (auto& out : network->outs) {
    out->weight.normal_(0, 0.1);
    out->bias[0] = 0;
  }
  network->eval();
  DetectorFile file;
  file.info.network = config;
  file.info.operating_score = kServedScore;  // no shift of the scores
  for (const auto& item : network->named_parameters()) file.weights[item.key()] = item.value();
  for (const auto& item : network->named_buffers())
    if (item.value().is_floating_point()) file.weights[item.key()] = item.value();
  return file;
}

class ExportDetectorTest : public testing::Test {
 protected:
  ExportDetectorTest() {
    file_ = random_detector({}, network_);
    bytes_ = to_onnx(fold(file_), file_.info);
  }

  DetectorNet network_{nullptr};
  DetectorFile file_;
  std::string bytes_;
};

TEST_F(ExportDetectorTest, IsSmallEnoughToShip) {
  EXPECT_LE(bytes_.size(), 400'000u);
}

TEST_F(ExportDetectorTest, OpenCvComputesWhatTheNetworkDoes) {
  torch::NoGradGuard no_grad;
  cv::dnn::Net net = cv::dnn::readNetFromONNX(bytes_.data(), bytes_.size());
  // One network, one size after the other.
  for (const auto& [width, height] :
       {std::pair{64, 96}, std::pair{320, 192}, std::pair{64, 64}, std::pair{64, 96}}) {
    const torch::Tensor pixels =
        torch::randint(0, 256, {1, 1, height, width}).to(torch::kFloat).contiguous();
    const int shape[] = {1, 1, height, width};
    net.setInput(cv::Mat(4, shape, CV_32F, pixels.data_ptr<float>()), kDetectorInput);
    std::vector<cv::Mat> outputs;
    net.forward(outputs, std::vector<cv::String>{"faces_8", "faces_16", "faces_32"});
    const auto maps = network_(pixels);
    for (std::size_t level = 0; level < maps.size(); ++level) {
      ASSERT_EQ(outputs[level].total(), static_cast<std::size_t>(maps[level].numel()));
      const torch::Tensor found = torch::from_blob(outputs[level].data, maps[level].sizes());
      EXPECT_LT((found - maps[level]).abs().max().item<double>(), 1e-3)
          << width << "x" << height << " level " << level;
    }
  }
}

TEST_F(ExportDetectorTest, OnnxRuntimeComputesWhatTheNetworkDoes) {
  if (!test::has_onnx_runtime())
    GTEST_SKIP() << test::python() << " has no onnxruntime; FER_TEST_PYTHON may name one that has";
  torch::NoGradGuard no_grad;
  const torch::Tensor pixels = torch::randint(0, 256, {1, 1, 96, 64}).to(torch::kFloat);
  const cv::Mat blob({1, 1, 96, 64}, CV_32F, pixels.data_ptr<float>());
  std::vector<torch::Tensor> maps;
  for (const torch::Tensor& map : network_(pixels)) maps.push_back(map.flatten());
  const torch::Tensor wanted = torch::cat(maps);
  std::vector<float> found = test::by_onnx_runtime(bytes_, blob);
  ASSERT_EQ(static_cast<std::int64_t>(found.size()), wanted.numel());
  EXPECT_LT((torch::from_blob(found.data(), wanted.sizes()) - wanted).abs().max().item<double>(),
            1e-3);
}

TEST_F(ExportDetectorTest, TheElementsDetectorReadsIt) {
  torch::NoGradGuard no_grad;
  const ScopedFolder folder;
  const auto detector = open_detector(folder.write("face-detector.onnx", bytes_));
  EXPECT_EQ(detector->name(), "fer");

  // Pictures that are no multiples of 32 in size, and one that is smaller than the least input:
  // what is missing is black.
  for (const auto& [width, height, padded_width, padded_height] :
       {std::array{150, 100, 160, 128}, std::array{30, 90, 64, 96}}) {
    cv::Mat picture(height, width, CV_8UC3);
    cv::randu(picture, 0, 256);
    const RawFrame frame(picture, PixelFormat::kGray8);
    torch::Tensor pixels = torch::zeros({1, 1, padded_height, padded_width});
    for (int y = 0; y < height; ++y) {
      const std::uint8_t* row = frame.view().data[0] + y * frame.view().stride[0];
      for (int x = 0; x < width; ++x) pixels[0][0][y][x] = static_cast<float>(row[x]);
    }
    std::vector<GridCandidate> guesses;
    const auto maps = network_(pixels);
    DetectorConfig config;
    config.score_threshold = 0.4f;
    for (std::size_t level = 0; level < maps.size(); ++level) {
      const torch::Tensor map = maps[level].contiguous();
      decode_cells(map.data_ptr<float>(), static_cast<int>(map.size(2)),
                   static_cast<int>(map.size(3)), kCellStrides[level], config.score_threshold,
                   guesses);
    }
    std::vector<GridCandidate> wanted = best_candidates(guesses);
    // The frame ends before the padded input does.
    std::erase_if(wanted, [&, w = static_cast<float>(width),
                           h = static_cast<float>(height)](const GridCandidate& face) {
      return face.x >= w || face.y >= h || face.x + face.width <= 0 || face.y + face.height <= 0;
    });
    ASSERT_GT(wanted.size(), 0u) << width;
    const std::vector<Face> faces = detector->detect(frame.view(), config);
    ASSERT_FALSE(faces.empty()) << width;
    EXPECT_NEAR(faces[0].score, wanted[0].score, 1e-3) << width;
    EXPECT_NEAR((*faces[0].landmarks)[2].x, wanted[0].points[4], 0.1) << width;
    EXPECT_NEAR((*faces[0].landmarks)[2].y, wanted[0].points[5], 0.1) << width;
  }
}

TEST_F(ExportDetectorTest, TakesFramesOfAnySizeAndFormat) {
  const ScopedFolder folder;
  const auto detector = open_detector(folder.write("face-detector.onnx", bytes_));
  DetectorConfig config;
  config.score_threshold = 0.4f;
  for (const cv::Size size :
       {cv::Size(1, 1), cv::Size(7, 3), cv::Size(33, 200), cv::Size(1500, 40)}) {
    cv::Mat picture(size, CV_8UC3);
    cv::randu(picture, 0, 256);
    for (const auto& format : test::kAllFormats) {
      for (const Face& face : detector->detect(RawFrame(picture, format.format).view(), config)) {
        EXPECT_GE(face.box.x, 0);
        EXPECT_LE(face.box.x + face.box.width, static_cast<float>(size.width) + 1e-2f);
      }
    }
  }
}

}  // namespace
}  // namespace fer
