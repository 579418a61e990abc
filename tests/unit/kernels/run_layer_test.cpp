#include "kernels/run_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>
#include <vector>

namespace fer::kernels {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Maps with memory of their own.
struct Maps {
  Maps(int channels, int height, int width, std::vector<float> given = {})
      : values(std::move(given)), maps{nullptr, channels, height, width} {
    values.resize(value_count(maps));
    maps.data = values.data();
  }
  std::vector<float> values;
  FeatureMaps maps;
};

/// 1, 2, 3, …
std::vector<float> counted(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.f);
  return values;
}

TEST(RunLayer, AConvolutionSeesAllChannels) {
  // 1 2 3   and ten times that; at the edge the filter looks at nothing.
  // 4 5 6
  Maps from(2, 2, 3, {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60}), to(1, 2, 3);
  // The pixel itself in the first channel, the one to the right in the second.
  const std::vector<float> weight{0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
  const float bias = -25;
  RunLayer layer;
  layer.from = from.maps;
  layer.to = to.maps;
  layer.weight = weight.data();
  layer.bias = &bias;
  layer.seen = 2;
  layer.kernel = 3;
  layer.pad = 1;
  run_layer(layer);
  EXPECT_THAT(to.values, ElementsAre(-4, 7, -22, 29, 40, -19));
  layer.relu = true;
  run_layer(layer);
  EXPECT_THAT(to.values, ElementsAre(0, 7, 0, 29, 40, 0));
}

TEST(RunLayer, AFilterAChannelSeesItsOwnAlone) {
  Maps from(2, 3, 3, counted(18)), to(2, 2, 2);
  // Corners of what a stride of two leaves: the first channel's as they are, the second's negated.
  const std::vector<float> weight{1, -1}, bias{0, 100};
  RunLayer layer;
  layer.from = from.maps;
  layer.to = to.maps;
  layer.weight = weight.data();
  layer.bias = bias.data();
  layer.seen = 1;
  layer.stride = 2;
  run_layer(layer);
  EXPECT_THAT(to.values, ElementsAre(1, 3, 7, 9, 90, 88, 84, 82));
}

TEST(RunLayer, EnlargesTwofold) {
  Maps from(1, 1, 2, {3, 4}), to(1, 2, 4);
  RunLayer layer;
  layer.kind = GridLayer::kEnlarge;
  layer.from = from.maps;
  layer.to = to.maps;
  run_layer(layer);
  EXPECT_THAT(to.values, ElementsAre(3, 3, 4, 4, 3, 3, 4, 4));
}

TEST(RunLayer, AddsTwoMaps) {
  Maps one(1, 1, 3, {1, 2, -3}), other(1, 1, 3, {10, 20, -30}), to(1, 1, 3);
  RunLayer layer;
  layer.kind = GridLayer::kAdd;
  layer.from = one.maps;
  layer.other = other.maps;
  layer.to = to.maps;
  run_layer(layer);
  EXPECT_THAT(to.values, ElementsAre(11, 22, -33));
}

TEST(RunLayer, SaysWhatDoesNotFit) {
  Maps from(2, 4, 4), to(3, 4, 4);
  const std::vector<float> weight(3 * 2 * 9), bias(3);
  RunLayer good;
  good.from = from.maps;
  good.to = to.maps;
  good.weight = weight.data();
  good.bias = bias.data();
  good.seen = 2;
  good.kernel = 3;
  good.pad = 1;
  EXPECT_NO_THROW(check(good));
  const auto refusal = [](const RunLayer& layer) -> std::string {
    try {
      check(layer);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  RunLayer bad = good;
  bad.stride = 2;
  EXPECT_EQ(refusal(bad), "run_layer: expected 3 x 2 x 2 values, found room for 3 x 4 x 4");
  bad = good;
  bad.seen = 3;
  EXPECT_THAT(refusal(bad), HasSubstr("all 2 channels or one each, found 3"));
  bad = good;
  bad.seen = 1;  // A filter a channel makes as many as there are.
  EXPECT_THAT(refusal(bad), HasSubstr("2 x 4 x 4 values"));
  bad = good;
  bad.weight = nullptr;
  EXPECT_THAT(refusal(bad), HasSubstr("weights"));
  bad = good;
  bad.stride = 0;
  EXPECT_THAT(refusal(bad), HasSubstr("a stride"));
  bad = good;
  bad.kind = GridLayer::kAdd;
  EXPECT_THAT(refusal(bad), HasSubstr("two maps of one shape"));
  bad = good;
  bad.from.data = nullptr;
  EXPECT_THAT(refusal(bad), HasSubstr("maps to read"));
}

}  // namespace
}  // namespace fer::kernels
