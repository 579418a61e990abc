#include "export/onnx_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/dnn.hpp>
#include <stdexcept>

#include "model/folded_network.h"
#include "vision/onnx_checksum.h"

namespace fer {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

const std::vector<OnnxDim> kImage{{0, "batch"}, {2}, {2}, {2}};

/// Two channels of 2 x 2.
const std::vector<float> kPixels{1, -2, 3, 4, -5, 6, 7, -8};

/// What the network makes of kPixels, flattened; `sizes` is told the output's.
std::vector<float> run(const OnnxGraph& graph, std::vector<int>* sizes = nullptr) {
  const std::string bytes = graph.to_bytes();
  cv::dnn::Net net = cv::dnn::readNetFromONNX(bytes.data(), bytes.size());
  net.setInput(cv::Mat({1, 2, 2, 2}, CV_32F, const_cast<float*>(kPixels.data())));
  const cv::Mat out = net.forward().clone();
  if (sizes != nullptr) sizes->assign(out.size.p, out.size.p + out.dims);
  return {out.ptr<float>(), out.ptr<float>() + out.total()};
}

/// A graph of one step on kPixels.
template <typename Step>
std::vector<float> run_step(Step step, const std::vector<OnnxDim>& shape = kImage,
                            std::vector<int>* sizes = nullptr) {
  OnnxGraph graph("test");
  graph.output(step(graph, graph.input("in", kImage)), "out", shape);
  return run(graph, sizes);
}

TEST(OnnxGraph, EndsInItsChecksum) {
  OnnxGraph graph("test");
  graph.output(graph.relu(graph.input("in", kImage)), "out", kImage);
  std::string bytes = graph.to_bytes();
  EXPECT_EQ(check_onnx(bytes), OnnxChecksum::kRight);
  bytes[bytes.size() / 2] ^= 1;
  EXPECT_EQ(check_onnx(bytes), OnnxChecksum::kWrong);
}

TEST(OnnxGraph, ComputesElements) {
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.scale(x, 2, 0.5f); }),
              ElementsAre(2.5, -3.5, 6.5, 8.5, -9.5, 12.5, 14.5, -15.5));
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.relu(x); }),
              ElementsAre(1, 0, 3, 4, 0, 6, 7, 0));
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.add(x, g.relu(x)); }),
              ElementsAre(2, -2, 6, 8, -5, 12, 14, -8));
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.multiply(x, g.relu(x)); }),
              ElementsAre(1, 0, 9, 16, 0, 36, 49, 0));
  EXPECT_THAT(run_step([](auto& g, auto x) {
                return g.max({x, g.scale(x, -1, 0)});
              }),
              ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.max({g.relu(x)}); }),
              ElementsAre(1, 0, 3, 4, 0, 6, 7, 0));
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.mirror(x, 2); }),
              ElementsAre(-2, 1, 4, 3, 6, -5, -8, 7));
  std::vector<float> sigmoid;
  for (const float x : kPixels) sigmoid.push_back(1 / (1 + std::exp(-x)));
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.sigmoid(x); }),
              Pointwise(FloatNear(1e-6f), sigmoid));
}

TEST(OnnxGraph, Convolves) {
  // From both channels to one; then each by itself, over its neighbours, at every second place.
  FoldedConv pointwise{.in = 2, .out = 1, .weight = {1, 10}, .bias = {0.5}};
  EXPECT_THAT(run_step([&](auto& g, auto x) { return g.conv(x, pointwise); },
                       {{0, "batch"}, {1}, {2}, {2}}),
              ElementsAre(-48.5, 58.5, 73.5, -75.5));
  FoldedConv depthwise{
      .in = 2, .out = 2, .kernel = 3, .stride = 2, .groups = 2, .weight = {}, .bias = {0, 100}};
  depthwise.weight.assign(9, 1);
  depthwise.weight.insert(depthwise.weight.end(), 9, 2);
  std::vector<int> sizes;
  EXPECT_THAT(run_step([&](auto& g, auto x) { return g.conv(x, depthwise); },
                       {{0, "batch"}, {2}, {1}, {1}}, &sizes),
              ElementsAre(6, 100));
  EXPECT_THAT(sizes, ElementsAre(1, 2, 1, 1));
}

TEST(OnnxGraph, Resizes) {
  std::vector<int> sizes;
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.upsample(x, 2); },
                       {{0, "batch"}, {2}, {4}, {4}}, &sizes),
              ElementsAre(1, 1, -2, -2, 1, 1, -2, -2, 3, 3, 4, 4, 3, 3, 4, 4,  //
                          -5, -5, 6, 6, -5, -5, 6, 6, 7, 7, -8, -8, 7, 7, -8, -8));
  EXPECT_THAT(sizes, ElementsAre(1, 2, 4, 4));
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.max_pool(x, 3, 2, true); },
                       {{0, "batch"}, {2}, {1}, {1}}, &sizes),
              ElementsAre(4, 7));
  EXPECT_THAT(sizes, ElementsAre(1, 2, 1, 1));
}

TEST(OnnxGraph, EndsInAHead) {
  const std::vector<OnnxDim> rows{{0, "batch"}, {2}};
  std::vector<int> sizes;
  EXPECT_THAT(run_step([](auto& g, auto x) { return g.average(x); }, rows, &sizes),
              ElementsAre(1.5, 0));
  EXPECT_THAT(sizes, ElementsAre(1, 2));
  const std::vector<float> weight{1, 2, 3, 4}, bias{0.5, -0.5};
  EXPECT_THAT(run_step([&](auto& g, auto x) { return g.linear(g.average(x), weight, bias); }, rows),
              ElementsAre(2, 4));
  const auto p = run_step(
      [&](auto& g, auto x) { return g.softmax(g.linear(g.average(x), weight, bias)); }, rows);
  EXPECT_NEAR(p[0], 1 / (1 + std::exp(2.)), 1e-6);
  EXPECT_NEAR(p[0] + p[1], 1, 1e-6);
}

TEST(OnnxGraph, StoresCompactWeightsInTwoBytes) {
  // 2 x 1 x 3 x 3; the largest is what the others are rounded by.
  FoldedConv filters{.in = 2, .out = 2, .kernel = 3, .groups = 2, .weight = {}, .bias = {0, 0.1f}};
  for (int i = 0; i < 18; ++i)
    filters.weight.push_back(std::sin(static_cast<float>(i)) * (i < 9 ? 3.f : 0.01f));
  const auto image_of = [&](bool compact) {
    OnnxGraph graph("test", compact);
    const OnnxValue x = graph.input("in", kImage);
    // The same weights twice, which are stored once.
    graph.output(graph.add(graph.conv(x, filters), graph.relu(graph.conv(x, filters))), "out",
                 kImage);
    return run(graph);
  };
  EXPECT_THAT(image_of(true), Pointwise(FloatNear(5e-3f), image_of(false)));

  const std::vector<float> many(6000, 0.25f), bias(100, 0.f);
  const auto bytes_of = [&](bool compact) {
    OnnxGraph graph("test", compact);
    std::vector<OnnxValue> rows;
    for (int i = 0; i < 2; ++i)
      rows.push_back(graph.linear(graph.input("in" + std::to_string(i), {{1}, {60}}), many, bias));
    graph.output(graph.add(rows[0], rows[1]), "out", {{1}, {100}});
    return graph.to_bytes().size();
  };
  EXPECT_GT(bytes_of(false), 24'000u);
  EXPECT_LT(bytes_of(true), 14'000u);
}

TEST(OnnxGraph, ComputesWithCompactWeights) {
  const std::vector<float> weight{1, -2, 3, 4}, bias{0.5, -0.5};
  OnnxGraph graph("test", /*compact=*/true);
  const OnnxValue x = graph.input("in", kImage);
  graph.output(graph.linear(graph.average(x), weight, bias), "out", {{0, "batch"}, {2}});
  EXPECT_THAT(run(graph), Pointwise(FloatNear(1e-3f), std::vector<float>{2, 4}));
}

TEST(OnnxGraph, RepeatsAChannel) {
  FoldedConv second{.in = 2, .out = 1, .weight = {0, 1}, .bias = {0}};
  EXPECT_THAT(run_step([&](auto& g, auto x) {
                return g.multiply(x, g.repeat_channel(g.conv(x, second), 2));
              }),
              ElementsAre(-5, -12, 21, -32, 25, 36, 49, 64));
}

TEST(OnnxGraph, NamesOutputsThatAreUsedFurtherOn) {
  OnnxGraph graph("test");
  const OnnxValue middle = graph.relu(graph.input("in", kImage));
  const OnnxValue last = graph.scale(middle, -1, 0);
  graph.output(middle, "middle", kImage);
  graph.output(last, "last", kImage);
  const std::string bytes = graph.to_bytes();
  cv::dnn::Net net = cv::dnn::readNetFromONNX(bytes.data(), bytes.size());
  net.setInput(cv::Mat({1, 2, 2, 2}, CV_32F, const_cast<float*>(kPixels.data())));
  std::vector<cv::Mat> out;
  net.forward(out, std::vector<cv::String>{"middle", "last"});
  EXPECT_EQ(out[0].ptr<float>()[2], 3);
  EXPECT_EQ(out[1].ptr<float>()[2], -3);
}

TEST(OnnxGraph, RefusesWhatDoesNotGoTogether) {
  const auto refusal = [](auto step) -> std::string {
    OnnxGraph graph("test");
    graph.output(step(graph, graph.input("in", kImage)), "out", kImage);
    try {
      graph.to_bytes();
      return {};
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(refusal([](auto& g, auto x) { return g.relu(x); }), "");
  EXPECT_THAT(refusal([](auto& g, auto) { return g.relu({"nothing"}); }), HasSubstr("nothing"));
  // An output of another shape than was said.
  EXPECT_THAT(refusal([](auto& g, auto x) { return g.upsample(x, 2); }),
              HasSubstr("the ONNX checker refuses"));
}

}  // namespace
}  // namespace fer
