#include "import/detector_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "detector_models.h"
#include "error_of.h"
#include "import/served_detector.h"
#include "network/folded_detector.h"
#include "scoped.h"

namespace fer {
namespace {

using testing::HasSubstr;

class DetectorWeights : public testing::Test {
 protected:
  void SetUp() override {
    served_ = test::own_detector_path();
    if (served_.empty()) GTEST_SKIP() << "this checkout has no models/face-detector.onnx";
  }
  std::filesystem::path served_;
};

TEST_F(DetectorWeights, OfAServedDetectorFoldToWhatItHolds) {
  const ServedDetector served = read_served_detector(served_);
  EXPECT_EQ(served.config.widths, (std::array{64, 96, 128}));
  EXPECT_EQ(served.config.depths, (std::array{5, 4, 3}));
  EXPECT_EQ(served.config.stem_stride, 4);
  const DetectorFile weights = read_detector_weights(served_);
  EXPECT_EQ(weights.info.network, served.config);
  const FoldedDetector folded = fold(weights);
  ASSERT_EQ(folded.convs.size(), served.convs.size());
  for (const auto& [name, conv] : served.convs) {
    const FoldedConv& other = folded.conv(name);
    ASSERT_EQ(other.weight.size(), conv.weight.size()) << name;
    for (std::size_t i = 0; i < conv.weight.size(); ++i)
      ASSERT_NEAR(other.weight[i], conv.weight[i], 1e-5 * (1 + std::abs(conv.weight[i]))) << name;
    for (std::size_t i = 0; i < conv.bias.size(); ++i)
      ASSERT_NEAR(other.bias[i], conv.bias[i], 1e-5 * (1 + std::abs(conv.bias[i]))) << name;
  }
}

TEST_F(DetectorWeights, AChangedFileIsRefused) {
  const test::ScopedFolder folder;
  const auto changed = folder.path() / "changed.onnx";
  std::filesystem::copy_file(served_, changed);
  {
    std::fstream file(changed, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100000);
    file.put('x');
  }
  EXPECT_THAT(test::error_of([&] { read_detector_weights(changed); }),
              HasSubstr("changed.onnx: expected a face detector"));
}

}  // namespace
}  // namespace fer
