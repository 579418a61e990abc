#include "stream/crop_views.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <stdexcept>

#include "crops.h"
#include "learn/data/batches.h"
#include "learn/data/face_views.h"
#include "learn/device/compute_device.h"
#include "network/device_stream.h"

namespace fer {
namespace {

class CropViewsTest : public testing::Test {
 protected:
  CropViewsTest() {
    model_.network.channels = 1;
    model_.network.input_size = 16;
    model_.mean = 0.4f;
    model_.stddev = 0.2f;
    for (std::uint64_t i = 0; i < 6; ++i) bytes_.push_back(test::noisy_crop(16, 120, 60, i));
    bytes_.push_back(bytes_.front());
    crops_.assign(bytes_.begin(), bytes_.end());
  }

  ModelInfo model_;
  std::vector<std::vector<std::uint8_t>> bytes_;
  CropViews::Crops crops_;
};

TEST_F(CropViewsTest, FollowFromTheRandomNumbers) {
  const CropViews views(model_, torch::kCPU);
  const torch::Tensor weak = views.weak(crops_, Random(1)),
                      strong = views.strong(crops_, Random(1), 1);
  EXPECT_EQ(weak.sizes(), (std::vector<std::int64_t>{7, 1, 16, 16}));
  EXPECT_TRUE(weak.equal(views.weak(crops_, Random(1))));
  EXPECT_FALSE(weak.equal(views.weak(crops_, Random(2))));
  EXPECT_TRUE(strong.equal(views.strong(crops_, Random(1), 1)));
  EXPECT_FALSE(strong.equal(views.strong(crops_, Random(2), 1)));
  EXPECT_FALSE(strong.equal(weak));
  // The same crop, drawn twice.
  EXPECT_FALSE(strong[0].equal(strong[6]));
}

TEST_F(CropViewsTest, StrengthIsAShareOfRandAugments) {
  const CropViews views(model_, torch::kCPU);
  const torch::Tensor plain = plain_images(crops_, 1, 16, {model_.mean, model_.stddev});
  const auto changed = [&](double strength) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const torch::Tensor view = views.strong(crops_, Random(seed), strength);
      // Mirrored or not: that is not of the strength.
      const auto apart = [&](const torch::Tensor& from) {
        return (view - from).abs().mean({1, 2, 3});
      };
      sum += torch::minimum(apart(plain), apart(plain.flip(3))).mean().item<double>();
    }
    return sum;
  };
  const double none = changed(0), half = changed(0.5), full = changed(1);
  EXPECT_LT(none, 0.5 * half);
  EXPECT_LT(half, full);
}

TEST_F(CropViewsTest, OfNoCropsAreNone) {
  EXPECT_EQ(CropViews(model_, torch::kCPU).weak({}, Random(1)).size(0), 0);
}

TEST_F(CropViewsTest, AreTheSameOnADevice) {
  torch::Device device = torch::kCPU;
  try {
    device = compute_device("cuda");
  } catch (const std::runtime_error& refused) {
    GTEST_SKIP() << refused.what();
  }
  if (!kernels_for(device)) GTEST_SKIP() << "libfer-cuda does not open";
  const CropViews here(model_, torch::kCPU), there(model_, device);
  // As the learner's thread has it, which works beside LibTorch's default stream.
  const DeviceStream stream(device, Urgency::kLearning);
  const DeviceStream::Scope on_stream(stream);
  const torch::Tensor view = there.strong(crops_, Random(3), 1);
  EXPECT_TRUE(view.device().is_cuda());
  // Pixels on a line of equalise or posterise may fall on its other side.
  const torch::Tensor apart = (here.strong(crops_, Random(3), 1) - view.to(torch::kCPU)).abs();
  EXPECT_LT((apart > 1e-3).to(torch::kFloat).mean().item<float>(), 1e-3);
}

}  // namespace
}  // namespace fer
